import Engine
import HTTPServer
import Relay
import Store
import System

/// Syncs the files of a backup on a thread of its own. On the loop a large file would keep
/// everybody waiting, and on the barrier's thread everybody who waits for a commit round.
final class ArchiveSyncs {
  private let engine: Engine
  private let directory: Int32
  private var barrier: Barrier?
  private var round: UInt64 = 0

  init(_ engine: Engine, directory: Int32) {
    self.engine = engine
    self.directory = directory
  }

  /// Does one slice of a backup or an import, behind what others wait for.
  ///
  /// - `wake`: the eventfd by which the thread reports.
  func turn(wake: Int32, now: Now) {
    guard let files = engine.backups.turn(now: now) else { return }
    if let code = sync(files, wake) { engine.backups.synced(code: code, now: now) }
  }

  /// Tells the engine what has been synced.
  func takeReports(now: Now) {
    while let code = takeReport() { engine.backups.synced(code: code, now: now) }
  }

  /// Returns the number of the error if the thread cannot be made.
  private func sync(_ files: [Int32], _ wake: Int32) -> Int32? {
    if barrier == nil {
      do throws(SystemError) {
        barrier = try Barrier(
          directory: directory, choice: .fdatasync, supportsSyncfs: false, wake: wake,
          calls: .fsync)
      } catch {
        return error.code
      }
    }
    round += 1
    barrier?.submit(round: round, files: files)
    return nil
  }

  /// Returns 0, or the error number of what has been synced; `nil` while the thread is at work. A
  /// thread that has met an error ends, and the next backup gets another.
  private func takeReport() -> Int32? {
    guard let report = barrier?.takeReport() else { return nil }
    if report.failure != nil { stop() }
    return report.failure?.code ?? 0
  }

  func stop() {
    barrier?.stop()
    barrier = nil
  }
}
