import Glibc
package import Relay

/// `relay.db`: who there is. It takes part in rounds and barriers like any workspace's file.
package final class RegistryFile {
  let database: Database
  private var kernelBoot: String
  /// The value of `storedProgress` after the last commit.
  package private(set) var progress: Int64 = 0

  init(database: Database, kernelBoot: String) {
    self.database = database
    self.kernelBoot = kernelBoot
  }

  package var path: String { database.path }
  package var isDirty: Bool { database.isDirty }
  package var walDescriptor: Int32 { database.walDescriptor }
  package var walPages: Int { database.walPages }

  /// Carries out all of `writes` in one transaction, or none of them. They are durable after the
  /// barrier.
  package func commit(_ writes: [RegistryWrite]) throws(StoreError) {
    guard !writes.isEmpty else { return }
    try transaction { () throws(StoreError) in
      for write in writes { try apply(write) }
    }
  }

  /// Every transaction raises the progress.
  private func transaction(_ body: () throws(StoreError) -> Void) throws(StoreError) {
    var raised: Int64 = 0
    try database.transaction { () throws(StoreError) in
      try body()
      raised = try storedProgress() + 1
      try setMeta(Self.progressKey) { $0.add(raised) }
    }
    progress = raised
  }

  package func markSynced() { database.markSynced() }

  /// Copies the log into the file. Returns whether all of the log is in the file now.
  @discardableResult
  package func checkpoint(_ mode: CheckpointMode) throws(StoreError) -> Bool {
    try database.checkpoint(mode)
  }

  /// Makes every commit durable, for the end of the process.
  package func sync() throws(StoreError) { try database.sync() }

  package func close() throws(StoreError) { try database.close() }

  package func abandon() { database.abandon() }

  /// The key that says whether the relay that used the file last closed everything.
  static let endedWell = "ended_well"

  /// Closes the file at the end of a relay: everything is in it, and its log is empty.
  package func end() throws(StoreError) {
    try transaction { () throws(StoreError) in
      try setMeta(Self.endedWell) { $0.add("1") }
    }
    try database.sync()
    try database.checkpoint(.truncate)
    try database.close()
  }

  /// Returns when the newest entry of the audit was written.
  package func newestAt() throws(StoreError) -> WallTime {
    WallTime(nanoseconds: try database.number("SELECT at FROM audit ORDER BY id DESC LIMIT 1"))
  }

  // MARK: starts

  /// The kernel is another than the one under which the relay ran last. `nil` boot id: never ran.
  /// To be asked before `raiseBoot`, which remembers the present one.
  package func isAfterPowerCut() throws(StoreError) -> Bool {
    let stored = try metaText("kernel_boot")
    return !stored.isEmpty && stored != kernelBoot
  }

  /// Takes the next boot number, the upper half of every fence of this run. It is on disk when this
  /// returns: two runs with one number would give equal fences.
  package func raiseBoot() throws(StoreError) -> UInt32 {
    let boot = try lastBoot() + 1
    guard let number = UInt32(exactly: boot), number < Fence.boots else {
      throw StoreError(kind: .other, call: "raiseBoot", path: path, message: "too many starts")
    }
    let isNewBoot = try metaText("kernel_boot") != kernelBoot
    try transaction { () throws(StoreError) in
      try keepNotedProgress(from: boot - 1, to: boot)
      try setMeta("boot") { $0.add(boot) }
      try setMeta("kernel_boot") { $0.add(kernelBoot) }
      try setMeta(Self.endedWell) { $0.add("0") }
    }
    try Files.checked("fdatasync", path + "-wal", kind: .ioFatal) { fdatasync(walDescriptor) }
    markSynced()
    if isNewBoot { try database.settleBoot() }
    return number
  }

  /// Returns the key of the receipts for callers without a credential. It stores `new` if there is
  /// no key yet, and never changes it, so that receipts survive restarts. The key is durable with
  /// the next `raiseBoot`.
  package func receiptKey(orNew new: String) throws(StoreError) -> String {
    let stored = try metaText("receipt_key")
    guard stored.isEmpty else { return stored }
    try transaction { () throws(StoreError) in
      try setMeta("receipt_key") { $0.add(new) }
    }
    return new
  }

  /// The life that this registry leads: another one after each restore and each rollback. The
  /// workspaces' files remember it together with the kernel's boot.
  func life() throws(StoreError) -> String { try metaText("life") }

  /// Begins another life of what is an older state of the same relay, so that every file counts as
  /// one whose last hand-outs are lost, once.
  ///
  /// - `random`: tells it from all other lives. Leases of lives that went on from the same state
  ///   must not match those of this one, so the boot number leaps over as many starts as they may
  ///   have had, by a number that no other restore has likely taken.
  /// - `line`: of the audit, in the same transaction.
  /// - `noted`: the progress that this file must have from here on, though it had less.
  func beginLife(
    random: UInt64, _ line: AuditEntry, noted: Int64 = 0
  ) throws(StoreError) -> String {
    let life = String(random, radix: 16)
    let boot = try lastBoot() + Self.bootLeap + Int64(random % UInt64(7 * Self.bootLeap))
    try transaction { () throws(StoreError) in
      if noted > (try storedProgress()) { try setMeta(Self.progressKey) { $0.add(noted) } }
      try setMeta("life") { $0.add(life) }
      try setMeta("boot") { $0.add(boot) }
      try setMeta("kernel_boot") { $0.add(MissingLog.unused) }
      // Each file may be older or newer than what is noted of it here.
      try database.execute("UPDATE pulse SET next_wake_at = NULL")
      try apply(.audit(line))
    }
    try database.sync()
    return life
  }

  static let bootLeap: Int64 = 2048

  func lives(_ kernelBoot: String) { self.kernelBoot = kernelBoot }

  func statement(_ sql: RegistrySQL) throws(StoreError) -> Statement {
    try database.statement(slot: Database.slots + sql.rawValue, sql.text)
  }

  func metaText(_ key: String) throws(StoreError) -> String {
    var row = try statement(.readMeta)
    defer { row.reset() }
    row.add(key)
    return try row.step() ? row.text(0) : ""
  }

  /// The number of the last start; 0 before the first.
  private func lastBoot() throws(StoreError) -> Int64 {
    var row = try statement(.readMeta)
    defer { row.reset() }
    row.add("boot")
    guard try row.step() else { return 0 }
    guard row.isInteger(0), (0...Int64(Fence.boots)).contains(row.int(0)) else {
      throw row.damaged("number of starts")
    }
    return row.int(0)
  }

  func setMeta(
    _ key: String, _ value: (inout Statement) -> Void
  ) throws(StoreError) {
    var row = try statement(.writeMeta)
    row.add(key)
    value(&row)
    try row.run()
  }
}
