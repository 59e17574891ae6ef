import CLinux
import Glibc
import System

/// The kind of file system under the data directory.
package enum FileSystem: Sendable, Equatable {
  case ext4, xfs, btrfs
  case other(magic: Int)

  /// Whether one `syncfs` and one `fdatasync` make a round durable; elsewhere each file is synced.
  package var supportsSyncfs: Bool {
    switch self {
    case .ext4, .xfs, .btrfs: true
    case .other: false
    }
  }

  package init(magic: Int) {
    switch magic {
    case 0xEF53: self = .ext4
    case 0x5846_5342: self = .xfs
    case 0x9123_683E: self = .btrfs
    default: self = .other(magic: magic)
    }
  }

  static func of(descriptor: Int32, path: String) throws(StoreError) -> FileSystem {
    var status = statfs()
    try Files.checked("fstatfs", path) { fstatfs(descriptor, &status) }
    return FileSystem(magic: Int(status.f_type))
  }

  package static func of(path: String) throws(StoreError) -> FileSystem {
    let folder = try Files.open(path, O_RDONLY | O_DIRECTORY)
    return try of(descriptor: folder.raw, path: path)
  }

  /// Bytes that this user may still write.
  package static func freeBytes(_ path: String) throws(StoreError) -> Int64 {
    var status = statvfs()
    try Files.checked("statvfs", path) { statvfs(path, &status) }
    return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
  }

  /// Files that this user may still make; `nil` where the file system makes room for them itself.
  package static func freeInodes(_ path: String) throws(StoreError) -> Int64? {
    var status = statvfs()
    try Files.checked("statvfs", path) { statvfs(path, &status) }
    return status.f_files == 0 ? nil : Int64(clamping: UInt64(status.f_favail))
  }

  package static func totalBytes(_ path: String) throws(StoreError) -> Int64 {
    var status = statvfs()
    try Files.checked("statvfs", path) { statvfs(path, &status) }
    return Int64(clamping: UInt64(status.f_blocks) * UInt64(status.f_frsize))
  }
}
