package import Relay

/// What retention reads of a file and deletes from it, a bounded number of rows at a time.
extension WorkspaceFile {
  /// Messages with numbers above `seq`, at most `limit`, and what decides whether they can go.
  ///
  /// Fewer than there are when what belongs to them is more than `limit` rows. A single message
  /// that has more is given alone. `cameBy`: the first one that came later is the last.
  package func keptSlice(
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
    // Both are in order.
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

  /// When the first message of the file came.
  package func oldestMessage() throws(StoreError) -> WallTime? {
    var row = try statement(.oldest)
    defer { row.reset() }
    guard try row.step() else { return nil }
    guard Ranges.isTime(row.time(0)) else { throw row.damaged("time of a message") }
    return row.time(0)
  }

  /// Bytes of the pages that hold something.
  package func usedBytes() throws(StoreError) -> Int { try usedPages() * Database.pageBytes }

  package func usedPages() throws(StoreError) -> Int {
    try pages(.pageCount) - pages(.freePages)
  }

  package func freePages() throws(StoreError) -> Int { try pages(.freePages) }

  private func pages(_ sql: RetentionSQL) throws(StoreError) -> Int {
    var row = try statement(sql)
    defer { row.reset() }
    return try row.step() ? Int(row.int(0)) : 0
  }

  /// Messages that were ever deleted from the file.
  package func deletedCount() throws(StoreError) -> Int64 {
    let count = try metaNumber(Meta.deleted)
    guard Ranges.isCount(count) else {
      throw StoreError(
        kind: .corrupt, call: "read", path: path, message: "a count in meta is out of range")
    }
    return count
  }

  /// Dead messages, in a time that grows with them, and no more than `most`.
  package func deadCount(most: Int) throws(StoreError) -> Int {
    var row = try statement(.deadCount)
    defer { row.reset() }
    row.add(MessageState.dead.rawValue)
    row.add(most)
    var count = 0
    while try row.step() { count += 1 }
    return count
  }

  /// Writes what is in use into the log once more, so that the file ends where that ends: at the
  /// next checkpoint, or before by `cutTail`.
  package func shrink() throws(StoreError) { try database.vacuum() }

  /// Cuts up to `bytes` off what lies behind the end; says whether there is more.
  ///
  /// Only between the barrier that covers `shrink` and the next checkpoint: all pages stand in the
  /// log then, and nothing that can still happen needs those behind the end.
  package func cutTail(bytes: Int) throws(StoreError) -> Bool {
    let end = Int64(try pages(.pageCount)) * Int64(Database.pageBytes)
    let size = Files.size(path)
    guard size > end else { return false }
    try Files.cut(path, to: max(end, size - Int64(bytes)))
    database.noteSize()
    return size - Int64(bytes) > end
  }
}

/// The deletions themselves; `apply` carries them out.
extension WorkspaceFile {
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

  /// The only way by which messages go. When the newest has gone its number is not given again:
  /// SQLite would ("one more than the largest ROWID", its manual says). AUTOINCREMENT or a trigger
  /// would remember it with each message, where once for each range is enough.
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
}

extension KeptSlice {
  /// Without what begins at `seq`, unless that is all.
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
