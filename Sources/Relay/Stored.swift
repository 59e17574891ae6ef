/// A message in a workspace's file, without its bodies.
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
  /// The fence of the accepted result; 0 while there is none.
  package var answerFence: Fence
  package var answerHash: UUIDBytes
  package var endedAt: WallTime?
  /// When a caller took the end of the message; 0 if only its Task was taken, or it is a replay
  /// (`ReplyTaken`).
  package var receivedAt: WallTime?
  /// When a caller took the Task; 0 for a replay.
  package var taskReceivedAt: WallTime?
  /// When a caller was first told that the message is dead.
  package var toldAt: WallTime?

  /// The caller has read how the message ended.
  package var isEndReceived: Bool {
    ReplyTaken.isEndTaken(
      receivedAt: receivedAt, taskReceivedAt: taskReceivedAt, endedAt: endedAt,
      isReplay: replayOf != nil)
  }
  /// A caller has been told that the message is dead, or is about to be.
  package var isTold: Bool
  /// The id of the message that this one repeats.
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

/// The messages and tasks of a workspace's file that are still open, read when the file is opened.
package struct Recovered: Sendable {
  /// Unanswered messages, and ended ones whose reply nobody has received, by `seq`.
  package var messages: [StoredMessage] = []
  /// The last delivery of each of these messages, if it had one.
  package var handOuts: [HandOutRow] = []
  /// The last change of each of these deliveries, if there was one.
  package var handOutChanges: [HandOutChange] = []
  /// For messages whose last deliveries came back untouched: how many in a row did.
  package var untouchedInARow: [Seq: Int] = [:]
  /// The tasks that these messages belong to, and every task that waits for input.
  package var tasks: [StoredTask] = []
  /// The highest number ever given; the next message gets the one after it.
  package var lastSeq: Seq = 0
  package var lastPosition: Int64 = 0
  /// When the newest message was accepted.
  package var newestAt: WallTime?
  /// The machine was rebooted since the file was last in use.
  package var isAfterPowerCut = false
  /// Unanswered messages up to this number count as possibly delivered: a power cut may have lost
  /// rows of their deliveries. The number stays on disk.
  package var doubtfulUpTo: Seq = 0
  /// The key of the file's digests.
  package var digestKey = DigestKey(secret: UUIDBytes(high: 0, low: 0))

  package init() {}
}
