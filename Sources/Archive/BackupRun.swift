package import Relay
import System

extension BackupJob {
  /// Makes the whole backup at once, for a command that has nothing else to do.
  package func run(now: () -> WallTime) throws(ArchiveError) {
    while report.state == .running {
      switch turn(now: now()) {
      case .more, .ended: continue
      case .sync(let files):
        var code: Int32 = 0
        for file in files where code == 0 { code = SyncCalls.fsync.fdatasync(file) }
        synced(code: code, now: now())
      }
    }
    if let error = report.error { throw error }
  }
}
