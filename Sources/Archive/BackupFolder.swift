import Relay
import Store

/// The new directory that a backup is written to, and the room that it needs there.
struct BackupFolder {
  let path: String
  private let limits: Limits

  init(_ path: String, limits: Limits) {
    self.path = path
    self.limits = limits
  }

  /// Makes the directory, which must not exist, and the directories in it.
  func make() throws(StoreError) {
    try Files.checkLength(of: path, limits: limits)
    guard try Files.makeFolder(path) else {
      throw StoreError(
        kind: .busy, call: "mkdir", path: path,
        message: "it exists already; name a new directory")
    }
    _ = try Files.makeFolder(path + "/workspaces")
    _ = try Files.makeFolder(path + "/removed")
  }

  /// Opens every directory of the backup, so that it can be synced.
  func opened() throws(StoreError) -> [OpenFile] {
    [try OpenFile(path + "/workspaces"), try OpenFile(path + "/removed"), try OpenFile(path)]
  }

  /// Refuses if there is no room for `bytes`, or for one slice if that is more.
  ///
  /// All planned files must fit before the first is copied, and at each slice the next one. The
  /// space below the high-water mark is for answers, on the backup's disk too.
  func checkRoom(for bytes: Int64) throws(ArchiveError) {
    let (free, mark) = try reading { () throws(StoreError) in
      (try Files.freeBytes(path), min(limits.diskHighWater, try Files.totalBytes(path) / 20))
    }
    let needed = max(bytes, Int64(limits.backupSliceBytes))
    guard free - mark >= needed else {
      throw ArchiveError(
        .full,
        "the backup needs \(needed) more bytes, and \(path) has \(max(0, free - mark)) above the "
          + "high-water mark")
    }
  }
}
