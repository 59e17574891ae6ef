package import Archive
import Relay
import Store
import System

/// The running backup, export or import. Only one runs at a time, and each turn does a small step
/// of it.
final class ArchiveRuns {
  /// An import, and the caller that is answered when the workspace is in place.
  struct Import {
    var job: ImportJob
    var folder: String
    var call: CallID
    var actor: String
  }

  /// The outcome of a step.
  enum Step {
    case nothing
    /// The caller has to sync these descriptors off the loop, and then call `synced`.
    case sync([Int32])
    /// The import's file is in place and durable.
    case imported(Import)
    case importFailed(Import, ArchiveError)
  }

  private let limits: Limits
  private let boot: UInt32
  private let log: Log
  private(set) var source: LiveSource?
  private var backup: BackupJob?
  private var number = 0
  private var importing: Import?
  private var isSyncing = false
  /// The instant of the next step; `nil` while a sync runs, or nothing does.
  private(set) var nextDue: Instant?

  init(_ limits: Limits, boot: UInt32, _ log: Log) {
    self.limits = limits
    self.boot = boot
    self.log = log
  }

  var isRunning: Bool { backup?.report.state == .running || importing != nil || isSyncing }

  // MARK: begin

  /// Begins a backup of all workspaces, or of one, and returns its name. `source` is called once.
  func beginBackup(
    _ workspace: WorkspaceID?, to folder: String, from source: @autoclosure () -> LiveSource,
    now: Now
  ) -> String {
    let source = self.source ?? source()
    self.source = source
    number += 1
    backup = BackupJob(
      workspace.map { .workspace($0) } ?? .relay, of: source, to: folder, limits: limits,
      relayVersion: RelayVersion.text, now: now.wall)
    nextDue = now.instant
    log.info(
      "backup_started",
      ["dir": .text(folder), "workspace": .text(workspace?.text ?? "all")])
    return name
  }

  private var name: String { "backup-\(boot)-\(number)" }

  func begin(_ importing: Import, now: Now) {
    self.importing = importing
    nextDue = now.instant
  }

  // MARK: turns

  /// Does a small step of the running backup, export or import, if it is due.
  func turn(now: Now) -> Step {
    guard let due = nextDue, due <= now.instant else { return .nothing }
    nextDue = now.instant + limits.backupPause
    if let importing { return turn(importing) }
    guard let backup else { return .nothing }
    switch backup.turn(now: now.wall) {
    case .more: return .nothing
    case .sync(let files): return sync(files)
    case .ended:
      nextDue = nil
      report(backup)
      return .nothing
    }
  }

  private func sync(_ files: [Int32]) -> Step {
    nextDue = nil
    isSyncing = true
    return .sync(files)
  }

  private func turn(_ importing: Import) -> Step {
    let step: Step
    switch importing.job.turn() {
    case .more: return .nothing
    case .sync(let files): return sync(files)
    case .whole: step = .imported(importing)
    case .failed: step = importing.job.error.map { .importFailed(importing, $0) } ?? .nothing
    }
    self.importing = nil
    nextDue = nil
    return step
  }

  /// Continues after a sync. `code`: 0, or the error number, which fails the backup and not the
  /// relay.
  func synced(code: Int32, now: Now) {
    guard isSyncing else { return }
    isSyncing = false
    if let importing {
      importing.job.synced(code: code)
    } else {
      backup?.synced(code: code, now: now.wall)
    }
    nextDue = now.instant
  }

  // MARK: ends

  /// Stops the running backup, export or import. Returns a stopped import, whose caller has to be
  /// answered.
  func stop(_ reason: String, now: Now) -> Import? {
    let stopped = importing
    stopped?.job.stop(reason)
    importing = nil
    if let backup, backup.report.state == .running {
      backup.stop(reason, now: now.wall)
      report(backup)
    }
    nextDue = nil
    return stopped
  }

  private func report(_ backup: BackupJob) {
    for entry in backup.report.unreadable {
      log.error(
        "backup_incomplete",
        ["workspace": .text(entry.workspace.text), "error": .text(entry.error)])
    }
    if let error = backup.report.error {
      log.error("backup_failed", ["dir": .text(backup.report.folder), "error": .text(error.text)])
    } else {
      log.info(
        "backup_done",
        [
          "dir": .text(backup.report.folder), "files": .number(backup.report.filesDone),
          "bytes": .number(backup.report.bytes),
          "unreadable": .number(backup.report.unreadable.count),
        ])
    }
  }

  /// The progress of the running backup, or the outcome of this process's last one; nil if there
  /// was none.
  var status: BackupStatus? {
    backup.map { BackupStatus(name: name, report: $0.report) }
  }
}

/// The report of a running or finished backup, and the backup's name.
package struct BackupStatus {
  package var name: String
  package var report: BackupReport
}
