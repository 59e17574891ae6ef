/// What a workspace's file remembers of one message, without its bodies.
package struct StoredMessage: Sendable {
  package var seq: Seq
  package var tag: UInt64
  package var state: MessageState
  package var reason: EndReason?
  package var position: Int64
  package var at: WallTime
  package var expires: WallTime
  package var notBefore: WallTime
  package var attempt: Int
  package var caller: String
  package var method: UInt8
  package var dialect: UInt8
  package var task: Seq
  package var context: String
  package var messageID: String
  package var dedup: UUIDBytes
  package var rpcID: [UInt8]
  package var isImmediate: Bool
  package var isReceived: Bool
  package var bytes: Int
  /// Of the accepted result; 0 while there is none.
  package var answerFence: Fence
  package var answerHash: UUIDBytes
  package var endedAt: WallTime?
  /// When a caller took its end; 0 if only its Task was taken, or it is a replay (`ReplyTaken`).
  package var receivedAt: WallTime?
  /// When a caller took its Task; 0 for a replay.
  package var taskReceivedAt: WallTime?
  /// When a caller was first told that it is dead.
  package var toldAt: WallTime?

  /// Its caller has read how it ended.
  package var isEndReceived: Bool {
    ReplyTaken.isEndTaken(
      receivedAt: receivedAt, taskReceivedAt: taskReceivedAt, endedAt: endedAt,
      isReplay: replayOf != nil)
  }
  /// A caller has been told that it is dead, or is about to be.
  package var isTold: Bool
  /// The id of the message that it repeats.
  package var replayOf: UUIDBytes?

  package init(
    seq: Seq, tag: UInt64, state: MessageState, reason: EndReason?, position: Int64, at: WallTime,
    expires: WallTime, notBefore: WallTime, attempt: Int, caller: String, method: UInt8,
    dialect: UInt8, task: Seq, context: String, messageID: String, dedup: UUIDBytes,
    rpcID: [UInt8], isImmediate: Bool, isReceived: Bool, bytes: Int, answerFence: Fence,
    answerHash: UUIDBytes, endedAt: WallTime?, isTold: Bool = false, replayOf: UUIDBytes? = nil
  ) {
    self.seq = seq
    self.tag = tag
    self.state = state
    self.reason = reason
    self.position = position
    self.at = at
    self.expires = expires
    self.notBefore = notBefore
    self.attempt = attempt
    self.caller = caller
    self.method = method
    self.dialect = dialect
    self.task = task
    self.context = context
    self.messageID = messageID
    self.dedup = dedup
    self.rpcID = rpcID
    self.isImmediate = isImmediate
    self.isReceived = isReceived
    self.bytes = bytes
    self.answerFence = answerFence
    self.answerHash = answerHash
    self.endedAt = endedAt
    self.isTold = isTold
    self.replayOf = replayOf
  }
}

/// The task that a message opened, as it is on disk.
package struct StoredTask: Sendable, Equatable {
  package var seq: Seq
  package var state: TaskState
  package var context: String
  package var caller: String
  package var changed: WallTime

  package init(
    seq: Seq, state: TaskState, context: String, caller: String, changed: WallTime
  ) {
    self.seq = seq
    self.state = state
    self.context = context
    self.caller = caller
    self.changed = changed
  }
}

/// What a workspace's file holds that is still at work, read when the file is opened.
package struct Recovered: Sendable {
  /// Unanswered messages, and ended ones whose reply nobody has received, by `seq`.
  package var messages: [StoredMessage] = []
  /// The last hand-out of each of those, if it had one.
  package var handOuts: [HandOutRow] = []
  /// What became last of those hand-outs, where anything did.
  package var handOutChanges: [HandOutChange] = []
  /// Of messages whose last hand-outs came back untouched: how many in a row did.
  package var untouchedInARow: [Seq: Int] = [:]
  /// The tasks that these messages belong to, and every task that waits for input.
  package var tasks: [StoredTask] = []
  /// The highest number ever given; the next message gets the one after it.
  package var lastSeq: Seq = 0
  package var lastPosition: Int64 = 0
  /// When the newest message came.
  package var newestAt: WallTime?
  /// The kernel has been started anew since the file was last in use.
  package var isAfterPowerCut = false
  /// Unanswered messages up to this number count as possibly handed out: hand-out rows of theirs
  /// may have been lost in a power cut. It stays on disk.
  package var doubtfulUpTo: Seq = 0
  /// What the file's digests are keyed with.
  package var digestKey = DigestKey(secret: UUIDBytes(high: 0, low: 0))

  package init() {}
}
