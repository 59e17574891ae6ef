import Relay

/// The size of a file, what retention has left in it, and how it is made smaller.
extension WorkspaceFile {
  /// The rows that retention reads and deletes.
  package var retention: RetentionRows { RetentionRows(database) }

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
