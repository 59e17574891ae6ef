import Engine
import HTTPServer
import Relay
import Store
import System

/// Syncs the files of a backup on a thread of their own: on the loop a large file would keep
/// everybody waiting, and on the barrier's thread those who wait for their round.
final class ArchiveSyncs {
  private let wake: Int32
  private let directory: Int32
  private var barrier: Barrier?
  private var round: UInt64 = 0

  init(directory: Int32, wake: Int32) {
    self.directory = directory
    self.wake = wake
  }

  /// The number of the error if the thread cannot be made.
  func sync(_ files: [Int32]) -> Int32? {
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

  /// 0, or the error number of what has been synced; `nil` while it is at work. A thread that has
  /// met an error ends, and the next backup gets another.
  func takeReport() -> Int32? {
    guard let report = barrier?.takeReport() else { return nil }
    if report.failure != nil { stop() }
    return report.failure?.code ?? 0
  }

  func stop() {
    barrier?.stop()
    barrier = nil
  }
}

extension RelayServer {
  /// One slice of a backup or an import, behind what others wait for.
  func archiveTurn(now: Now, _ loop: Loop) {
    guard let files = engine.archiveTurn(now: now) else { return }
    let syncs =
      archiveSyncs ?? ArchiveSyncs(directory: data.descriptor, wake: loop.wakeDescriptor)
    archiveSyncs = syncs
    if let code = syncs.sync(files) { engine.archiveSynced(code: code, now: now) }
  }

  func takeArchiveReports(now: Now) {
    while let code = archiveSyncs?.takeReport() { engine.archiveSynced(code: code, now: now) }
  }
}
