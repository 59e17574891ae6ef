/// Names a call that waits for an answer; the driver gives them, and they are never reused.
package typealias CallID = UInt64

/// Names a poll that waits for entries; the driver gives them, and they are never reused.
package typealias PollID = UInt64

/// Equal calls of one caller: nobody's call is ever equal to another caller's.
struct EqualCalls: Hashable {
  let caller: String
  let dedup: UUIDBytes
}

/// A message in the memory of a queue: unanswered, or with a reply that no caller has received.
///
/// It is a class only because the parts of the queue point at it; it belongs to one queue and one
/// thread.
package final class Message {
  package let seq: Seq
  package let tag: UInt64
  package let caller: String
  package let method: UInt8
  package let dialect: UInt8
  package let task: Seq
  package let context: String
  package let messageID: String
  package let dedup: UUIDBytes
  var equalCalls: EqualCalls { EqualCalls(caller: caller, dedup: dedup) }
  package let rpcID: [UInt8]
  package let bytes: Int
  package let at: WallTime
  package internal(set) var expiresAt: WallTime
  package let isImmediate: Bool
  /// The place in the order of delivery. A message that comes back keeps it; a redriven one is the
  /// last.
  var position: Int64
  var expires: Instant
  /// The message that this one repeats: nobody waits for its answer, and nobody will read it.
  package let replayOf: UUIDBytes?
  /// Where the message is counted for its caller.
  var share: Occupancy.Share?

  package internal(set) var state = MessageState.storing
  /// The state from before the current write.
  var before = MessageState.storing
  /// The outcome of the current write.
  var pending = Pending.nothing
  /// Events that came during the current write, in order.
  var waiting: [Deferred] = []
  /// The message's timer came due during the current write.
  var isDue = false
  /// The time of the message's timer; its older timers do nothing.
  var timerAt: Instant?
  /// No end is written before this time, because the last such write was refused.
  var retryAt: Instant?
  /// The message has to end for this reason, as soon as a write of that is taken.
  var mustEnd: EndReason?
  /// The message is among the ready messages.
  var isReady = false
  /// The calls of operators who ended the message and wait until that is durable.
  var closers: [CallID] = []

  /// Deliveries that count as an attempt, the current one included.
  package internal(set) var attempt = 0
  /// Deliveries in a row that came back without a call of the agent, and so count as no attempt.
  var untouchedInARow = 0
  var notBefore: Instant
  /// The current delivery, if the message is offered or leased.
  package internal(set) var handOut: CurrentHandOut?
  /// The last fences given for the message since the start, the current one last.
  var fences: [Fence] = []
  /// An agent has had the message, or may have: an earlier run of the relay delivered it.
  package internal(set) var wasHandedOut = false

  /// The number of late results that the timeline has noted.
  var lateResults = 0

  /// The number of callers who wait for the answer now.
  package internal(set) var callers = 0
  /// A caller has taken a reply, or nobody waits for one: equal calls are new calls.
  package internal(set) var isReceived = false
  /// A caller has taken a reply that told how the message ended.
  var isEndReceived = false
  /// A caller has been told that the message is dead, or is about to be: it never comes back under
  /// its id.
  package internal(set) var isTold = false
  package internal(set) var reason: EndReason?
  package internal(set) var endedAt: WallTime?
  package internal(set) var answerFence = Fence(number: 0)
  package internal(set) var answerHash = UUIDBytes(high: 0, low: 0)

  enum Pending {
    case nothing
    case answer(AgentResultCall)
    case end(MessageState, EndReason)
    case redrive(Redrive)
  }

  /// The place and the time to live that a redrive gives a message, and the call that asked for it.
  struct Redrive {
    var position: Int64
    var expires: WallTime
    var call: CallID?
  }

  init(_ new: NewMessage, position: Int64, bytes: Int, now: Now) {
    seq = new.seq
    tag = new.tag
    caller = new.caller
    method = new.method
    dialect = new.dialect
    task = new.task
    context = new.context
    messageID = new.messageID
    dedup = new.dedup
    rpcID = new.rpcID
    self.bytes = bytes
    at = new.at
    expiresAt = new.expires
    isImmediate = new.isImmediate
    self.position = position
    replayOf = new.replay?.id
    expires = now.instant(at: new.expires)
    notBefore = now.instant
  }

  /// Reads a message back from its file. `notBefore` is at most `delayMax` away, even if the wall
  /// clock has been set back since.
  init(_ stored: StoredMessage, delayMax: Duration, now: Now) {
    seq = stored.seq
    tag = stored.tag
    caller = stored.caller
    method = stored.method
    dialect = stored.dialect
    task = stored.task
    context = stored.context
    messageID = stored.messageID
    dedup = stored.dedup
    rpcID = stored.rpcID
    bytes = stored.bytes
    at = stored.at
    expiresAt = stored.expires
    isImmediate = stored.isImmediate
    position = stored.position
    expires = now.instant(at: stored.expires)
    notBefore = min(now.instant(at: stored.notBefore), now.instant + delayMax)
    state = stored.state
    attempt = stored.attempt
    isReceived = stored.isReceived
    isEndReceived = stored.isEndReceived
    reason = stored.reason
    endedAt = stored.endedAt
    answerFence = stored.answerFence
    answerHash = stored.answerHash
    isTold = stored.isTold
    replayOf = stored.replayOf
  }
}

/// The lease or the offer in force.
package struct CurrentHandOut: Sendable {
  package var fence: Fence
  package var poll: PollID
  package var consumer: String
  package var isOffer: Bool
  /// The delivery came without `confirm`: heartbeats may stretch it.
  package var isUnconfirmed: Bool
  package var at: Instant
  package var end: Instant
  package var length: Duration
  /// The agent has made a call for the message.
  package var isTouched = false
  /// The peer's TCP has acknowledged the response with the message.
  package var isAcknowledged = false
  /// An agent had the message before this, or may have.
  package var isRedelivered = false
  /// The driver's turn at whose end the response leaves.
  var turn: UInt64 = 0
}

/// An agent's result, as the queue needs it.
package struct AgentResultCall: Sendable {
  package var call: CallID
  package var fence: Fence
  /// The digest of the posted body, which tells a repeat from another answer.
  package var hash: UUIDBytes
  package var body: [UInt8]
  package var state: TaskState
  /// The fence was given for this message, although not in this run of the relay.
  package var isKnownFence: Bool
  /// The digest without a key, if the message may come from a file that was made before digests had
  /// one.
  let unkeyedHash: UUIDBytes?

  package init(
    call: CallID, fence: Fence, hash: UUIDBytes, body: [UInt8], state: TaskState,
    isKnownFence: Bool = false, unkeyedHash: UUIDBytes? = nil
  ) {
    self.call = call
    self.fence = fence
    self.hash = hash
    self.body = body
    self.state = state
    self.isKnownFence = isKnownFence
    self.unkeyedHash = unkeyedHash
  }

  /// Whether this is the result with the stored digest once more.
  func isRepeat(of stored: UUIDBytes) -> Bool { stored == hash || stored == unkeyedHash }
}
