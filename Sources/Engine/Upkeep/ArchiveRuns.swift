package import Archive
import Relay
import Store
import System

/// The backup, export or import at work: one at a time, a little of it in each turn.
final class ArchiveRuns {
  /// An import, and the caller that is answered when the workspace is there.
  struct Import {
    var job: ImportJob
    var folder: String
    var call: CallID
    var actor: String
  }

  /// The outcome of a turn.
  enum Step {
    case nothing
    /// These descriptors are to be synced, off the loop, before `synced`.
    case sync([Int32])
    /// The file is there and durable.
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
  /// When the next turn is; `nil` while a sync is at work, or nothing is.
  private(set) var nextDue: Instant?

  init(_ limits: Limits, boot: UInt32, _ log: Log) {
    self.limits = limits
    self.boot = boot
    self.log = log
  }

  var isRunning: Bool { backup?.report.state == .running || importing != nil || isSyncing }

  // MARK: begin

  /// Begins a backup of all, or of one workspace, and returns its name. `source` is asked for once.
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

  /// Does a little of what runs, if its time has come.
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

  /// The sync has ended. `code`: 0, or the error number, which is the backup's and not the relay's.
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

  /// Stops what runs. Returns the import, whose caller is to be answered.
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

  /// How far the backup is that runs, or how the last one of this run ended; nil: there was none.
  var status: BackupStatus? {
    backup.map { BackupStatus(name: name, report: $0.report) }
  }
}

/// The report of a backup that runs or has ended, and the name by which it is asked for.
package struct BackupStatus {
  package var name: String
  package var report: BackupReport
}
