/// One change of a workspace's file, as a value.
///
/// A turn of the loop collects them, one list per workspace, and the store carries a list out in
/// one transaction: all of it, or nothing. Because they are values the list can be carried out
/// again without its sends when the disk is full.
package enum Write: Sendable {
  /// A new message with its request; opens its task, submitted, unless it continues one, which
  /// works from then on if it was interrupted.
  case message(NewMessage)
  /// The message was given to an agent, and with its first one the task that it has opened is
  /// working. Not waited for by a barrier before the bytes leave.
  case handOut(HandOutRow)
  /// What became of a hand-out: claimed, extended, released, lost.
  case handOutChange(HandOutChange)
  /// Back in the queue with this many attempts burnt, not before then.
  case requeue(seq: Seq, attempt: Int, notBefore: WallTime)
  /// The agent's result; the message is answered.
  case answer(Answer)
  /// An end without an answer: dead, expired or cancelled.
  case end(seq: Seq, state: MessageState, reason: EndReason, at: WallTime)
  /// The task's state has changed, otherwise than by the first hand-out or a further message.
  case task(seq: Seq, state: TaskState, at: WallTime)
  /// A caller has taken a reply. The message may have been deleted since.
  case received(seq: Seq, ReplyTaken, at: WallTime)
  /// A caller is about to be told that the message is dead: it stays dead under its id.
  case told(seq: Seq, at: WallTime)
  /// A dead message is in the queue again, at its tail, and its task at work.
  case redrive(seq: Seq, task: Seq, at: WallTime, expires: WallTime)
  /// How far a job has come, in the transaction of what it has moved.
  case job(JobRow)
  /// An entry in the message's timeline that no other row shows.
  case note(seq: Seq, kind: NoteKind, at: WallTime, detail: [UInt8])
  /// All rows of one ended message, and what is left in their place.
  case delete(seq: Seq, tombstone: Tombstone?)
  /// All rows of the messages from `first` to `last`, which have all ended. Those with a key
  /// leave a tombstone.
  case retire(first: Seq, last: Seq, cause: Tombstone.Cause, at: WallTime)
  /// A part of what happened to a message that has more rows than one round may delete.
  case trim(seq: Seq, rows: Int)
  /// Keys and tombstones whose time is over, as many as one round may delete.
  case expire(at: WallTime, rows: Int)

  /// A send may be refused when the disk is full; everything else must go on.
  /// It makes room, or ends something.
  package var isDeletion: Bool {
    switch self {
    case .delete, .retire, .trim, .expire, .end, .job: true
    case .message, .handOut, .handOutChange, .requeue, .answer, .task, .received, .told,
      .redrive, .note:
      false
    }
  }

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

  /// It says only what somebody has received or done: a closed file is not opened for it.
  package var mayBeHeld: Bool {
    switch self {
    case .received, .note: true
    case .message, .handOut, .handOutChange, .requeue, .answer, .end, .task, .told, .redrive,
      .delete, .job, .retire, .trim, .expire:
      false
    }
  }

  /// Returns the writes without the new messages and the hand-outs made together with them.
  package static func withoutSends(_ writes: [Write]) -> [Write] {
    var sends: Set<Seq> = []
    for case .message(let new) in writes { sends.insert(new.seq) }
    return writes.filter { write in
      switch write {
      case .message: false
      case .handOut(let row): !sends.contains(row.seq)
      case .note(let seq, _, _, _): !sends.contains(seq)
      // What the job was to send is refused, so that it stands where it stood.
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
  /// Equal calls have equal keys (durability: attached).
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
  /// It repeats another message, on an operator's word.
  package var replay: Replay?

  /// What a replay is of. Both messages' timelines say who made it.
  package struct Replay: Sendable {
    package var of: Seq
    package var id: UUIDBytes
    /// Of the note at the message that is repeated, and of the one at this.
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

/// One giving of a message to an agent. The primary key is the fence.
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
  /// `unburnt`: it went back without counting as an attempt (the poll was dead, the offer
  /// unclaimed). `withheld`: so did this, because the relay never sent it.
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
  /// What the agent gave as the reason of a release.
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

/// What a timeline shows beside the rows of message and hand-out. The raw values are on disk.
package enum NoteKind: UInt8, Sendable, CaseIterable {
  case callerAttached = 1
  case callerGone
  case holdEnded
  case resultAfterEnd
  case resultConflict
  /// What operators did; the detail says who, as a JSON object.
  case cancelledByOperator
  case redriven
  /// Another message repeats this one, or this one repeats another.
  case replayed
  case replayOf
}
