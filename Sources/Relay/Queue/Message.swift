/// Names a call that waits for an answer; the driver gives them, and they are never reused.
package typealias CallID = UInt64

/// Names a poll that waits for entries; the driver gives them, and they are never reused.
package typealias PollID = UInt64

/// Equal calls of one caller: nobody's call is ever equal to another caller's.
struct EqualCalls: Hashable {
  let caller: String
  let dedup: UUIDBytes
}

/// One unanswered message, or one whose reply nobody has received, as the queue holds it.
///
/// A class only because the queue's tables point at it; it belongs to one queue and one thread.
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
  /// The order of hand-out. A message that comes back keeps it; a redriven one is the last.
  var position: Int64
  var expires: Instant
  /// The message that it repeats: nobody waits for its answer, and nobody will read it.
  package let replayOf: UUIDBytes?
  /// Where the message is counted for its caller.
  var share: Occupancy.Share?

  package internal(set) var state = MessageState.storing
  /// The state from before the write on its way.
  var before = MessageState.storing
  /// What the write on its way will make of it.
  var pending = Pending.nothing
  /// What arrived while a write was on its way, in order.
  var waiting: [Deferred] = []
  /// A timer of it came due while a write was on its way.
  var isDue = false
  /// When its timer is set for; older ones in the heap do nothing.
  var timerAt: Instant?
  /// No end is tried again before then: the last write of one was refused.
  var retryAt: Instant?
  /// It has to end for this reason, as soon as a write of it is taken.
  var mustEnd: EndReason?
  /// It stands in the order of hand-out.
  var isReady = false
  /// Operators who ended it and wait to hear that it is durable.
  var closers: [CallID] = []

  /// Hand-outs that count, the current one included.
  package internal(set) var attempt = 0
  /// Hand-outs in a row that came back untouched, and so did not count as an attempt.
  var untouchedInARow = 0
  var notBefore: Instant
  /// The current hand-out, if it is offered or leased.
  package internal(set) var handOut: CurrentHandOut?
  /// The last fences given for it since the start, the current one last.
  var fences: [Fence] = []
  /// An agent has had it, or may have: an earlier run of the relay gave it out.
  package internal(set) var wasHandedOut = false

  /// Results that came too late, as far as they are noted.
  var lateResults = 0

  /// Callers who wait for its answer now.
  package internal(set) var callers = 0
  /// A caller has taken a reply, or nobody waits for one: equal calls are new calls.
  package internal(set) var isReceived = false
  /// A caller has taken a reply that told how it ended.
  var isEndReceived = false
  /// A caller has been told that it is dead, or is about to be: it never comes back under its id.
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

  /// What a redriven message becomes, and who waits to hear it.
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

  /// `notBefore` is at most `delayMax` away, even if the wall clock has been set back since.
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

/// The hand-out that is in force.
package struct CurrentHandOut: Sendable {
  package var fence: Fence
  package var poll: PollID
  package var consumer: String
  package var isOffer: Bool
  /// Given without `confirm`: heartbeats may stretch it.
  package var isUnconfirmed: Bool
  package var at: Instant
  package var end: Instant
  package var length: Duration
  /// The agent has made a call for it.
  package var isTouched = false
  /// The peer's TCP has acknowledged the answer that carried it.
  package var isAcknowledged = false
  /// An agent had the message before this, or may have.
  package var isRedelivered = false
  /// The driver's turn at whose end it leaves.
  var turn: UInt64 = 0
}

/// An agent's result, as the queue needs it.
package struct AgentResultCall: Sendable {
  package var call: CallID
  package var fence: Fence
  /// Of the posted body: tells a repeat from another answer.
  package var hash: UUIDBytes
  package var body: [UInt8]
  package var state: TaskState
  /// The fence is of this message, though this run of the relay has not given it.
  package var isKnownFence: Bool
  /// The same hash as an older file holds it, if the message may be from such a one.
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

  /// Whether it is the result with this hash once more.
  func isRepeat(of stored: UUIDBytes) -> Bool { stored == hash || stored == unkeyedHash }
}
