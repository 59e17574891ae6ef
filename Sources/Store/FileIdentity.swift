import Glibc

/// Which file a name or a descriptor leads to: a new file of the same name is another file.
struct FileIdentity: Equatable {
  private let device: UInt64
  private let inode: UInt64
  let bytes: Int64

  /// `nil`: there is no such file.
  init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// `nil`: the file has been deleted, and goes when its descriptor is closed.
  init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_nlink > 0 else { return nil }
    self.init(status)
  }

  private init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    bytes = Int64(status.st_size)
  }

  /// The size changes while a file is used.
  static func == (left: FileIdentity, right: FileIdentity) -> Bool {
    left.device == right.device && left.inode == right.inode
  }
}

/// The check that the paths still lead to the files that are open.
///
/// Writing to a deleted or replaced file succeeds, and so does syncing it: nobody will read it. So
/// the paths are compared before a round is acknowledged, and once a second.
extension Database {
  /// Returns an error if the file or its write-ahead log was deleted or replaced; `nil` while both
  /// are in place.
  func loss() -> StoreError? {
    let file = FileIdentity(path: path)
    guard let file, file == identity else {
      return lost(path, "the file has been deleted, moved or replaced while it was in use")
    }
    guard file.bytes >= bytesOnDisk else {
      return lost(path, "the file has been cut while it was in use")
    }
    let log = FileIdentity(descriptor: walDescriptor)
    guard let log, FileIdentity(path: path + "-wal") == log else {
      return lost(path + "-wal", "the log has been deleted, moved or replaced while it was in use")
    }
    guard log.bytes >= WALFormat.bytes(frames: walPages) else {
      return lost(path + "-wal", "the log has been cut while it was in use")
    }
    return nil
  }

  private func lost(_ path: String, _ message: String) -> StoreError {
    StoreError(kind: .workspaceFatal, call: "look", path: path, message: message)
  }
}

extension WorkspaceFile {
  /// Returns why nothing in the file may be acknowledged any more; `nil` while it is in place.
  package func loss() -> StoreError? { database.loss() }
}

extension DataDirectory {
  /// Returns an error if the directory, its lock or the registry is not the one that this process
  /// holds: nothing may be acknowledged any more. The error is final for the process.
  package func loss() -> StoreError? {
    let directory = FileIdentity(descriptor: descriptor)
    guard let directory, FileIdentity(path: path) == directory else {
      return gone(path, "the data directory has been deleted, moved or replaced")
    }
    guard lock.isInPlace else {
      return gone(
        path + "/relay.lock", "the lock has been deleted or replaced: another relay may run here")
    }
    return registry.database.loss().map { gone($0.path, $0.message) }
  }

  private func gone(_ path: String, _ message: String) -> StoreError {
    StoreError(kind: .ioFatal, call: "look", path: path, message: message)
  }
}
