package import Relay

/// The rows of one workspace's file that retention reads and deletes, a bounded number at a time.
package struct RetentionRows {
  private let database: Database

  init(_ database: Database) { self.database = database }

  private func statement(_ sql: RetentionSQL) throws(StoreError) -> Statement {
    try sql.prepared(in: database)
  }

  /// Returns the messages with numbers above `seq`, at most `limit`, with everything that decides
  /// whether they can be deleted.
  ///
  /// There are fewer if more than `limit` rows belong to them. A message that has more rows by
  /// itself is returned alone. The first message that came after `cameBy` is the last.
  package func slice(
    after seq: Seq, limit: Int, cameBy: WallTime? = nil
  ) throws(StoreError) -> KeptSlice {
    var slice = KeptSlice()
    slice.messages = try keptMessages(after: seq, limit: limit, cameBy: cameBy)
    guard let last = slice.messages.last else {
      slice.isLast = true
      return slice
    }
    let isCut = cameBy.map { last.at > $0 } ?? false
    slice.isLast = slice.messages.count < limit && !isCut
    try addFurther(to: &slice, limit: limit)
    for counts in [RetentionSQL.noteCounts, .handOutCounts, .eventCounts] {
      try addSideRows(counts, to: &slice, limit: limit)
    }
    return slice
  }

  private func keptMessages(
    after seq: Seq, limit: Int, cameBy: WallTime?
  ) throws(StoreError) -> [KeptMessage] {
    var row = try statement(.slice)
    defer { row.reset() }
    row.add(seq)
    row.add(limit)
    var messages: [KeptMessage] = []
    messages.reserveCapacity(limit)
    while try row.step() {
      var message = try row.keptMessage()
      message.hasFirst = row.int(10) != 0
      guard Ranges.isCount(row.int(11)) else { throw row.damaged("bytes of a message") }
      message.bytes += Int(row.int(11))
      if !row.isNull(12) {
        guard let state = TaskState(rawValue: row.byte(12)) else { throw row.damaged("task.state") }
        message.taskState = state
      }
      messages.append(message)
      if let cameBy, message.at > cameBy { break }
    }
    return messages
  }

  private func addFurther(to slice: inout KeptSlice, limit: Int) throws(StoreError) {
    let first = slice.messages[0].seq
    var row = try statement(.furtherMessages)
    defer { row.reset() }
    row.add(first)
    row.add(slice.messages[slice.messages.count - 1].seq)
    row.add(limit + 1)
    var count = 0
    var last: Seq = 0
    while try row.step() {
      let message = try row.keptMessage()
      slice.further[message.task, default: []].append(message)
      count += 1
      last = message.task
    }
    guard count > limit else { return }
    slice.cut(before: last)
    guard last == first else { return }
    slice.isHuge = true
    var end = try statement(.lastFurther)
    defer { end.reset() }
    end.add(first)
    if try end.step() { slice.further[first] = [try end.keptMessage()] }
  }

  private func addSideRows(
    _ counts: RetentionSQL, to slice: inout KeptSlice, limit: Int
  ) throws(StoreError) {
    guard let from = slice.messages.first, let to = slice.messages.last else { return }
    var row = try statement(counts)
    defer { row.reset() }
    row.add(from.seq)
    row.add(to.seq)
    row.add(limit + 1)
    var count = 0
    var last: Seq = 0
    // The rows and the messages are both in order.
    var index = 0
    while try row.step() {
      last = row.int(0)
      count += 1
      while index < slice.messages.count, slice.messages[index].seq < last { index += 1 }
      if index < slice.messages.count, slice.messages[index].seq == last {
        slice.messages[index].sideRows += 1
      }
    }
    if count > limit { slice.cut(before: last) }
  }

  /// Returns when the oldest message of the file came.
  package func oldestMessage() throws(StoreError) -> WallTime? {
    var row = try statement(.oldest)
    defer { row.reset() }
    guard try row.step() else { return nil }
    guard Ranges.isTime(row.time(0)) else { throw row.damaged("time of a message") }
    return row.time(0)
  }

  // MARK: deletions, which a transaction of `WorkspaceFile` carries out

  func delete(_ seq: Seq, _ tombstone: Tombstone?) throws(StoreError) {
    if var tombstone {
      var end = try statement(.keyEnd)
      end.add(seq)
      if try end.step() { tombstone.until = max(tombstone.until, end.time(0)) }
      end.reset()
      try insert(tombstone, of: seq)
    }
    try deleteRows(seq...seq)
  }

  func retire(
    _ range: ClosedRange<Seq>, _ cause: Tombstone.Cause, at: WallTime
  ) throws(StoreError) {
    var row = try statement(.leaveTombstones)
    row.add(range.lowerBound)
    row.add(range.upperBound)
    row.add(at)
    row.add(cause.rawValue)
    try row.run()
    try deleteRows(range)
  }

  /// Deletes messages; nothing else does. The number of the newest message is kept, so that it is
  /// not given again: SQLite would give "one more than the largest ROWID", its manual says.
  /// AUTOINCREMENT or a trigger would write the number with each message, where once for each range
  /// is enough.
  private func deleteRows(_ range: ClosedRange<Seq>) throws(StoreError) {
    for table in [
      RetentionSQL.keepNumber, .deleteRequests, .deleteAnswers, .deleteHandOuts, .deleteNotes,
      .deleteEvents, .deleteTasks, .deleteMessages,
    ] {
      var row = try statement(table)
      row.add(range.lowerBound)
      row.add(range.upperBound)
      try row.run()
    }
    let count = database.changes
    guard count > 0 else { return }
    var total = try statement(.countDeleted)
    total.add(count)
    try total.run()
  }

  func trim(_ seq: Seq, rows: Int) throws(StoreError) {
    for table in [RetentionSQL.trimHandOuts, .trimNotes, .trimEvents] {
      var row = try statement(table)
      row.add(seq)
      row.add(rows)
      try row.run()
    }
  }

  func expire(at: WallTime, rows: Int) throws(StoreError) {
    for table in [RetentionSQL.expireKeys, .expireTombstones] {
      var row = try statement(table)
      row.add(at)
      row.add(rows)
      try row.run()
    }
  }

  private func insert(_ tombstone: Tombstone, of seq: Seq) throws(StoreError) {
    var row = try statement(.insertTombstone)
    row.add(seq)
    row.add(Int64(bitPattern: tombstone.tag))
    row.add(tombstone.caller)
    row.add(tombstone.at)
    row.add(tombstone.cause.rawValue)
    row.add(tombstone.actor)
    row.add(tombstone.reason)
    row.add(tombstone.until)
    try row.run()
  }
}

extension KeptSlice {
  /// Drops the messages from `seq` on, but keeps at least one.
  fileprivate mutating func cut(before seq: Seq) {
    let rest = messages.prefix { $0.seq < seq }
    let kept = rest.isEmpty ? messages.prefix(1) : rest
    if kept.count < messages.count { isLast = false }
    messages = Array(kept)
  }
}

extension Statement {
  /// A row of `RetentionSQL.kept`.
  fileprivate func keptMessage() throws(StoreError) -> KeptMessage {
    guard let state = MessageState(rawValue: byte(2)) else { throw damaged("message.state") }
    let endedAt = state.isEnd ? timeOrNil(5) : nil
    let isEndReceived =
      EndReason(rawValue: byte(3)) == .withdrawn
      || ReplyTaken.isEndTaken(
        receivedAt: timeOrNil(6), taskReceivedAt: timeOrNil(8), endedAt: endedAt,
        isReplay: int(9) != 0)
    guard Ranges.isSeq(int(0)), Ranges.isSeq(int(1)), Ranges.isCount(int(7)),
      Ranges.isTime(time(4)), Ranges.isTime(endedAt)
    else { throw damaged("number or time of a message") }
    var message = KeptMessage(
      seq: int(0), task: int(1), at: time(4), endedAt: endedAt, isEndReceived: isEndReceived,
      bytes: Int(int(7)))
    message.isDead = state == .dead
    return message
  }
}
