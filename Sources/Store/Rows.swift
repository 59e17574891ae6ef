package import Relay

/// One hand-out with its last change.
package struct StoredHandOut: Sendable, Equatable {
  /// `leaseEnd` has moved with the changes.
  package var row: HandOutRow
  package var last: HandOutChange?
  package var claimedAt: WallTime?

  package init(row: HandOutRow, last: HandOutChange?, claimedAt: WallTime? = nil) {
    self.row = row
    self.last = last
    self.claimedAt = claimedAt
  }
}

/// An entry of a message's timeline that no other row shows.
package struct StoredNote: Sendable, Equatable {
  package var kind: NoteKind
  package var at: WallTime
  package var detail: [UInt8]

  package init(kind: NoteKind, at: WallTime, detail: [UInt8]) {
    self.kind = kind
    self.at = at
    self.detail = detail
  }
}

// Rows become values here. A number that no case has was written by nobody: the file is damaged.

extension Statement {
  func damaged(_ what: String) -> StoreError {
    StoreError(kind: .corrupt, call: "read", path: path, message: "unknown \(what)")
  }

  func message() throws(StoreError) -> StoredMessage {
    guard let state = MessageState(rawValue: byte(2)) else { throw damaged("message.state") }
    let reason = EndReason(rawValue: byte(3))
    guard isNull(3) || reason != nil else { throw damaged("message.reason") }
    var message = StoredMessage(
      seq: int(0), tag: UInt64(bitPattern: int(1)), state: state, reason: reason, position: int(4),
      at: time(5), expires: time(6), notBefore: time(7), attempt: Int(int(8)), caller: text(9),
      method: byte(10), dialect: byte(11), task: int(12), context: text(13), messageID: text(14),
      dedup: uuid(15), rpcID: bytes(16), isImmediate: int(17) != 0, isReceived: !isNull(18),
      bytes: Int(int(19)), answerFence: Fence(number: int(20)), answerHash: uuid(21),
      endedAt: timeOrNil(22), isTold: !isNull(23), replayOf: isNull(24) ? nil : uuid(24))
    message.receivedAt = timeOrNil(18)
    message.toldAt = timeOrNil(23)
    message.taskReceivedAt = timeOrNil(25)
    guard message.isInRange, isUUID(15), isNull(21) || isUUID(21), isNull(24) || isUUID(24)
    else { throw damaged("number, time or key of a message") }
    return message
  }

  func task() throws(StoreError) -> StoredTask {
    guard let state = TaskState(rawValue: byte(1)) else { throw damaged("task.state") }
    guard Ranges.isSeq(int(0)), Ranges.isTime(time(3)) else {
      throw damaged("number or time of a task")
    }
    return StoredTask(
      seq: int(0), state: state, context: text(2), caller: text(4), changed: time(3))
  }

  func handOut() throws(StoreError) -> StoredHandOut {
    let handOut = try anyHandOut()
    guard handOut.isInRange else { throw damaged("number or time of a hand-out") }
    return handOut
  }

  private func anyHandOut() throws(StoreError) -> StoredHandOut {
    guard let kind = HandOutRow.Kind(rawValue: byte(3)) else { throw damaged("handout.kind") }
    let row = HandOutRow(
      fence: Fence(number: int(0)), seq: int(1), attempt: Int(int(2)), kind: kind,
      consumer: text(4), at: time(5), leaseEnd: time(6))
    guard !isNull(7) else { return StoredHandOut(row: row, last: nil) }
    guard let change = HandOutChange.Kind(rawValue: byte(7)) else {
      throw damaged("handout.change")
    }
    return StoredHandOut(
      row: row,
      last: HandOutChange(
        seq: row.seq, fence: row.fence, kind: change, at: time(8), leaseEnd: row.leaseEnd,
        reason: text(9)), claimedAt: timeOrNil(10))
  }

  func note() throws(StoreError) -> StoredNote {
    guard let kind = NoteKind(rawValue: byte(0)) else { throw damaged("log.kind") }
    guard Ranges.isTime(time(1)) else { throw damaged("time of a note") }
    return StoredNote(kind: kind, at: time(1), detail: bytes(2))
  }
}
