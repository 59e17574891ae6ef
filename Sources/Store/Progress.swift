import Relay

/// The progress of a file, noted in another file once a barrier has covered it. It shows that a
/// file went back while no relay ran.
///
/// A log that was cut at the end of a transaction looks like one into which nothing more was ever
/// written, and an older copy of a file looks sound. Each file has a number that only grows. That
/// of a workspace's file is noted in relay.db, that of relay.db in relay.lock. A note is written
/// after the barrier and is not synced: after a power cut it may be an old one, and it is never
/// ahead of the file. An older state of relay.db (a restore, a rolled-back machine) and a start of
/// a build without notes show in the number of the start: notes of another start do not count.
enum Progress {
  static let registryRemedy =
    "put the right relay.db back with its log, restore a backup, or go on with what is left: "
    + "serve --after-rollback, once"

  static func remedy(_ id: WorkspaceID) -> String {
    "put the right file back with its log, take it from a backup, or go on with what is left: "
      + "serve --accept-loss \(id.text), once"
  }

  /// Returns what is missing and how to go on; `nil` if nothing is known to be missing.
  static func finding(_ progress: Int64, noted: Int64, _ remedy: String) -> String? {
    guard progress < noted else { return nil }
    return "what was written last is missing (its progress was \(noted), and is \(progress)): its "
      + "write-ahead log was cut, or it is an older copy; \(remedy)"
  }

  static func check(
    _ progress: Int64, noted: Int64, of path: String, _ remedy: String
  ) throws(StoreError) {
    guard let what = finding(progress, noted: noted, remedy) else { return }
    throw StoreError(kind: .corrupt, call: "open", path: path, message: what)
  }
}

// MARK: relay.db

extension RegistryFile {
  static let progressKey = "progress"
  /// The start to which the notes of workspaces' files belong.
  private static let notesBoot = "progress_boot"

  private static func key(_ id: WorkspaceID) -> String { "progress/\(id.text)" }

  /// Returns the number of transactions so far.
  func storedProgress() throws(StoreError) -> Int64 { try metaNumber(Self.progressKey) }

  /// The progress that the workspace's file had when a barrier had covered it; 0: not known.
  func notedProgress(of id: WorkspaceID) throws(StoreError) -> Int64 {
    guard try metaNumber(Self.notesBoot) == metaNumber("boot") else { return 0 }
    return try metaNumber(Self.key(id))
  }

  func note(_ progress: Int64, of id: WorkspaceID) throws(StoreError) {
    try setMeta(Self.key(id)) { $0.add(progress) }
  }

  func forgetProgress(of id: WorkspaceID) throws(StoreError) {
    try database.each("DELETE FROM meta WHERE key = ?", [.text(Self.key(id))]) { _ in }
  }

  /// A start: the notes of the last one go on to count, those of an earlier one go.
  func keepNotedProgress(from last: Int64, to boot: Int64) throws(StoreError) {
    if try metaNumber(Self.notesBoot) != last {
      try database.execute("DELETE FROM meta WHERE key LIKE 'progress/%'")
    }
    try setMeta(Self.notesBoot) { $0.add(boot) }
  }

  private func metaNumber(_ key: String) throws(StoreError) -> Int64 {
    var row = try statement(.readMeta)
    defer { row.reset() }
    row.add(key)
    return try row.step() ? row.int(0) : 0
  }
}

// MARK: workspaces' files

/// The progress of a queue: every message has a number, which stays known when the message is
/// deleted, and transactions without a new message are counted now and then.
struct QueueProgress {
  var lastSeq: Seq = 0
  var counted: Int64 = 0
  var sum: Int64 { lastSeq + counted }
}

extension Database {
  /// Numbers out of range are for `recover` and `check` to find.
  func queueProgress() throws(StoreError) -> QueueProgress {
    var progress = QueueProgress()
    try each(
      """
      SELECT max((SELECT ifnull(max(seq), 0) FROM message),
        ifnull((SELECT value FROM meta WHERE key = ?), 0)),
        ifnull((SELECT value FROM meta WHERE key = ?), 0)
      """, [.text(WorkspaceFile.Meta.lastSeq), .text(WorkspaceFile.Meta.progress)]
    ) { row in
      progress.lastSeq = min(max(0, row.int(0)), Ranges.seqMax)
      progress.counted = min(max(0, row.int(1)), Ranges.seqMax)
    }
    return progress
  }
}

extension WorkspaceFile {
  /// The file goes on though it had this progress before, and counts as one whose last hand-outs
  /// are lost. Durable when this returns.
  func acceptProgress(_ noted: Int64) throws(StoreError) {
    let counted = queueProgress.counted + max(0, noted - progress)
    try database.transaction { () throws(StoreError) in
      try setMeta(Meta.progress, counted)
    }
    queueProgress.counted = counted
    try forgetBoot()
    try sync()
  }
}

extension DataDirectory {
  func checkProgress(of file: WorkspaceFile) throws(StoreError) {
    try Progress.check(
      file.progress, noted: try registry.notedProgress(of: file.id), of: file.path,
      Progress.remedy(file.id))
  }

  /// Notes beside relay.db how far it is on the disk.
  package func note(registryProgress: Int64) throws(StoreError) {
    try lock.note(progress: registryProgress)
  }

  /// A sound file goes on with what it has, though it had more.
  func acceptProgress(of id: WorkspaceID) throws(StoreError) -> AcceptedLoss {
    let file = try openWithoutProgress(id)
    do throws(StoreError) {
      let noted = try registry.notedProgress(of: id)
      let loss = Progress.finding(file.progress, noted: noted, Progress.remedy(id))
      if loss != nil { try file.acceptProgress(noted) }
      try file.close()
      return loss.map { .behind($0) } ?? .nothingLost
    } catch {
      file.abandon()
      throw error
    }
  }
}
