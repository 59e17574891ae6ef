/// One change of a workspace's file, as a value.
///
/// A turn of the loop collects writes in one list per workspace, and the store carries a list out
/// in one transaction: all of it, or nothing. Because the writes are values, the list can be
/// carried out again without its new messages when the disk is full.
package enum Write: Sendable {
  /// Stores a new message with its request. It opens its task as submitted, or continues one, which
  /// then works if it was interrupted.
  case message(NewMessage)
  /// Notes that the message was given to an agent. The first delivery of the message that opened a
  /// task also sets the task to working. The response leaves without waiting for a barrier.
  case handOut(HandOutRow)
  /// Notes how a delivery went on: claimed, extended, released, lost.
  case handOutChange(HandOutChange)
  /// Puts the message back into the queue, with this many attempts counted. It is not delivered
  /// before `notBefore`.
  case requeue(seq: Seq, attempt: Int, notBefore: WallTime)
  /// Stores the agent's result: the message is answered.
  case answer(Answer)
  /// Ends the message without an answer: dead, expired or cancelled.
  case end(seq: Seq, state: MessageState, reason: EndReason, at: WallTime)
  /// Changes the task's state for another reason than a first delivery or a further message.
  case task(seq: Seq, state: TaskState, at: WallTime)
  /// Notes that a caller has taken a reply. The message may have been deleted since.
  case received(seq: Seq, ReplyTaken, at: WallTime)
  /// Notes that a caller is about to be told that the message is dead: it stays dead under its id.
  case told(seq: Seq, at: WallTime)
  /// Puts a dead message back into the queue, at its tail, and sets its task to work.
  case redrive(seq: Seq, task: Seq, at: WallTime, expires: WallTime)
  /// Notes how far a job has come, in the transaction of the job's changes.
  case job(JobRow)
  /// Adds an entry to the message's timeline that no other row shows.
  case note(seq: Seq, kind: NoteKind, at: WallTime, detail: [UInt8])
  /// Deletes all rows of one ended message, and leaves the tombstone in their place.
  case delete(seq: Seq, tombstone: Tombstone?)
  /// Deletes all rows of the messages from `first` to `last`, which have all ended. Messages with
  /// an idempotency key leave a tombstone.
  case retire(first: Seq, last: Seq, cause: Tombstone.Cause, at: WallTime)
  /// Deletes some rows of a message that has more rows than one round may delete.
  case trim(seq: Seq, rows: Int)
  /// Deletes keys and tombstones whose time is over, as many as one round may delete.
  case expire(at: WallTime, rows: Int)

  /// The write makes room, or ends something.
  package var isDeletion: Bool {
    switch self {
    case .delete, .retire, .trim, .expire, .end, .job: true
    case .message, .handOut, .handOutChange, .requeue, .answer, .task, .received, .told,
      .redrive, .note:
      false
    }
  }

  /// The write stores a new message. It may be refused when the disk is full; every other write
  /// must go on.
  package var isSend: Bool { if case .message = self { true } else { false } }

  /// Returns the deferred writes of a transaction that was rolled back which can be deferred again:
  /// all but those that change rows of the transaction itself.
  package static func afterRollback(_ deferred: [Write], of writes: [Write]) -> [Write] {
    var sends: Set<Seq> = []
    var fences: Set<Fence> = []
    for write in writes {
      if case .message(let new) = write { sends.insert(new.seq) }
      if case .handOut(let row) = write { fences.insert(row.fence) }
    }
    return deferred.filter { write in
      switch write {
      case .handOutChange(let change): !fences.contains(change.fence)
      case .note(let seq, _, _, _), .requeue(let seq, _, _),
        .received(let seq, _, _), .task(let seq, _, _):
        !sends.contains(seq)
      case .message, .handOut, .answer, .end, .told, .redrive, .delete, .job, .retire, .trim,
        .expire:
        false
      }
    }
  }

  /// The write only notes what somebody has received or done: a closed file is not opened for it.
  package var mayBeHeld: Bool {
    switch self {
    case .received, .note: true
    case .message, .handOut, .handOutChange, .requeue, .answer, .end, .task, .told, .redrive,
      .delete, .job, .retire, .trim, .expire:
      false
    }
  }

  /// Returns the writes without the new messages and the deliveries made together with them.
  package static func withoutSends(_ writes: [Write]) -> [Write] {
    var sends: Set<Seq> = []
    for case .message(let new) in writes { sends.insert(new.seq) }
    return writes.filter { write in
      switch write {
      case .message: false
      case .handOut(let row): !sends.contains(row.seq)
      case .note(let seq, _, _, _): !sends.contains(seq)
      // The messages of the job's step are refused, so the job stays where it was.
      case .job(let row): !row.movesSends || sends.isEmpty
      case .handOutChange, .requeue, .answer, .end, .task, .received, .told, .redrive, .delete,
        .retire, .trim, .expire:
        true
      }
    }
  }
}

package struct NewMessage: Sendable {
  package var seq: Seq
  package var tag: UInt64
  package var at: WallTime
  package var expires: WallTime
  package var caller: String
  package var method: UInt8
  package var dialect: UInt8
  /// The first message of the task: `seq` itself when the message opens one.
  package var task: Seq
  package var context: String
  package var messageID: String
  /// Equal calls have equal digests, by which they attach to one message.
  package var dedup: UUIDBytes
  /// The JSON-RPC id, as raw JSON.
  package var rpcID: [UInt8]
  /// `POST /w/…/` and the stored headers, as a JSON object without the body.
  package var head: [UInt8]
  package var body: [UInt8]
  /// The caller took the Task at once; nobody waits for the answer.
  package var isImmediate: Bool
  /// The call came with an `Idempotency-Key`.
  package var key: StoredKey?
  /// The message that this one repeats because an operator asked for it.
  package var replay: Replay?

  /// The message that a replay repeats. Both messages' timelines say who made the replay.
  package struct Replay: Sendable {
    package var of: Seq
    package var id: UUIDBytes
    /// The notes in the timelines of the repeated message and of the replay.
    package var notes: (original: [UInt8], own: [UInt8])

    package init(of: Seq, id: UUIDBytes, notes: (original: [UInt8], own: [UInt8])) {
      self.of = of
      self.id = id
      self.notes = notes
    }
  }

  package init(
    seq: Seq, tag: UInt64, at: WallTime, expires: WallTime, caller: String, method: UInt8,
    dialect: UInt8, task: Seq, context: String, messageID: String, dedup: UUIDBytes,
    rpcID: [UInt8], head: [UInt8], body: [UInt8], isImmediate: Bool, key: StoredKey? = nil,
    replay: Replay? = nil
  ) {
    self.seq = seq
    self.tag = tag
    self.at = at
    self.expires = expires
    self.caller = caller
    self.method = method
    self.dialect = dialect
    self.task = task
    self.context = context
    self.messageID = messageID
    self.dedup = dedup
    self.rpcID = rpcID
    self.head = head
    self.body = body
    self.isImmediate = isImmediate
    self.key = key
    self.replay = replay
  }
}

/// One delivery of a message to an agent. The primary key is the fence.
package struct HandOutRow: Sendable, Equatable {
  package enum Kind: UInt8, Sendable {
    case offer = 1
    case lease = 2
    case shown = 3
  }

  package var fence: Fence
  package var seq: Seq
  package var attempt: Int
  package var kind: Kind
  package var consumer: String
  package var at: WallTime
  package var leaseEnd: WallTime

  package init(
    fence: Fence, seq: Seq, attempt: Int, kind: Kind, consumer: String, at: WallTime,
    leaseEnd: WallTime
  ) {
    self.fence = fence
    self.seq = seq
    self.attempt = attempt
    self.kind = kind
    self.consumer = consumer
    self.at = at
    self.leaseEnd = leaseEnd
  }
}

package struct HandOutChange: Sendable, Equatable {
  /// How a delivery went on. `unburnt`: the message went back and no attempt counts, because the
  /// poll was dead or the offer unclaimed. `withheld`: the same, because the relay never sent the
  /// response.
  package enum Kind: UInt8, Sendable {
    case claimed = 1
    case extended, released, lost, unburnt, ended, revoked, withheld

    package var countsNoAttempt: Bool { self == .unburnt || self == .withheld }
  }

  package var seq: Seq
  package var fence: Fence
  package var kind: Kind
  package var at: WallTime
  package var leaseEnd: WallTime
  /// The reason that the agent gave for a release.
  package var reason: String

  package init(
    seq: Seq, fence: Fence, kind: Kind, at: WallTime, leaseEnd: WallTime, reason: String = ""
  ) {
    self.seq = seq
    self.fence = fence
    self.kind = kind
    self.at = at
    self.leaseEnd = leaseEnd
    self.reason = reason
  }
}

package struct Answer: Sendable {
  package var seq: Seq
  package var fence: Fence
  package var at: WallTime
  package var isLate: Bool
  package var bodyHash: UUIDBytes
  package var body: [UInt8]

  package init(
    seq: Seq, fence: Fence, at: WallTime, isLate: Bool, bodyHash: UUIDBytes, body: [UInt8]
  ) {
    self.seq = seq
    self.fence = fence
    self.at = at
    self.isLate = isLate
    self.bodyHash = bodyHash
    self.body = body
  }
}

/// An entry of a timeline that is neither in the message's row nor in a delivery's. The raw values
/// are on disk.
package enum NoteKind: UInt8, Sendable, CaseIterable {
  case callerAttached = 1
  case callerGone
  case holdEnded
  case resultAfterEnd
  case resultConflict
  /// An operator acted on the message; the detail says who, as a JSON object.
  case cancelledByOperator
  case redriven
  /// Another message repeats this one (`replayed`), or this one repeats another (`replayOf`).
  case replayed
  case replayOf
}
