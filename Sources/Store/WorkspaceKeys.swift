package import Relay

/// Idempotency keys, and what is left of deleted messages.
extension WorkspaceFile {
  /// The newest message of a key, which may have been deleted or whose window may be over.
  package func key(_ key: UUIDBytes) throws(StoreError) -> (seq: Seq, stored: StoredKey)? {
    var row = try statement(.newestKey)
    defer { row.reset() }
    row.add(key)
    guard try row.step() else { return nil }
    guard Ranges.isSeq(row.int(0)), row.isUUID(1), Ranges.isTime(row.time(2)) else {
      throw row.damaged("number or time of a key")
    }
    return (row.int(0), StoredKey(key: key, call: row.uuid(1), until: row.time(2)))
  }

  package func tombstone(_ seq: Seq) throws(StoreError) -> Tombstone? {
    var row = try statement(.tombstone)
    defer { row.reset() }
    row.add(seq)
    guard try row.step() else { return nil }
    guard let cause = Tombstone.Cause(rawValue: row.byte(3)) else {
      throw row.damaged("tombstone.cause")
    }
    guard Ranges.isTime(row.time(2)), Ranges.isTime(row.time(6)) else {
      throw row.damaged("time of a tombstone")
    }
    return Tombstone(
      tag: UInt64(bitPattern: row.int(0)), caller: row.text(1), at: row.time(2), cause: cause,
      actor: row.text(4), reason: row.text(5), until: row.time(6))
  }

  /// Returns when the first key or tombstone can be forgotten.
  package func nextExpiry() throws(StoreError) -> WallTime? {
    var row = try statement(.nextExpiry)
    defer { row.reset() }
    guard try row.step() else { return nil }
    let times = [row.timeOrNil(0), row.timeOrNil(1)].compactMap { $0 }
    guard times.allSatisfy({ Ranges.isTime($0) }) else { throw row.damaged("time of an expiry") }
    return times.min()
  }

  func insert(_ key: StoredKey, of seq: Seq) throws(StoreError) {
    var row = try statement(.insertKey)
    row.add(seq)
    row.add(key.key)
    row.add(key.call)
    row.add(key.until)
    try row.run()
  }
}
