import Glibc
package import Relay
package import System

/// Plain files a slice at a time, for copies and their hashes.
extension Files {
  /// Up to `count` bytes from `offset` on; fewer at the end. The descriptor is closed again: this
  /// is not for a database that is open in this process, whose locks would go with it.
  ///
  /// A link in place of the file would hand out what it leads to, and a pipe would never end.
  package static func slice(
    of path: String, at offset: Int64, count: Int
  ) throws(StoreError) -> [UInt8] {
    let file = try open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let read = bytes.withUnsafeMutableBytes { buffer in
        pread(file.raw, buffer.baseAddress! + filled, count - filled, off_t(offset) + off_t(filled))
      }
      let code = errno
      if read == 0 { break }
      if read > 0 {
        filled += read
      } else if code != EINTR {
        throw .system("pread", path, code, kind: .workspaceFatal)
      }
    }
    return filled == count ? bytes : Array(bytes.prefix(filled))
  }

  /// The whole of a file of up to `most` bytes.
  package static func whole(_ path: String, most: Int) throws(StoreError) -> [UInt8] {
    let bytes = try slice(of: path, at: 0, count: min(most, Int(size(path)) + 1))
    guard bytes.count < most else {
      throw StoreError(kind: .other, call: "read", path: path, message: "larger than \(most) bytes")
    }
    return bytes
  }

  /// Appends to an open file.
  package static func append(
    _ bytes: [UInt8], to file: borrowing FileDescriptor, _ path: String
  ) throws(StoreError) {
    var written = 0
    while written < bytes.count {
      let (count, code) = bytes.withUnsafeBytes { buffer in
        let count = write(file.raw, buffer.baseAddress! + written, bytes.count - written)
        return (count, count == -1 ? errno : 0)
      }
      if count >= 0 {
        written += count
      } else if code != EINTR {
        throw .system("write", path, code, kind: .other)
      }
    }
  }

  /// A new file of this user's alone.
  package static func create(_ path: String) throws(StoreError) -> FileDescriptor {
    try open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND)
  }

  package static func openToAppend(_ path: String) throws(StoreError) -> FileDescriptor {
    try open(path, O_WRONLY | O_APPEND)
  }

  /// Opens a file or a folder to sync it.
  package static func openToSync(_ path: String) throws(StoreError) -> FileDescriptor {
    try open(path, O_RDONLY | O_NOFOLLOW)
  }

  package static func freeBytes(_ path: String) throws(StoreError) -> Int64 {
    try FileSystem.freeBytes(path)
  }

  package static func totalBytes(_ path: String) throws(StoreError) -> Int64 {
    try FileSystem.totalBytes(path)
  }

  package static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  package static func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// Returns the path without links; `nil` if it leads to nothing, or is not UTF-8: repaired it
  /// would be another path.
  package static func real(_ path: String) -> String? {
    guard let text = realpath(path, nil) else { return nil }
    defer { free(text) }
    return String(validatingCString: text)
  }

  /// Refuses a directory, there already or to be made, in which SQLite could open no file: it takes
  /// absolute paths of up to 512 bytes, behind symbolic links.
  package static func checkLength(of folder: String, limits: Limits) throws(StoreError) {
    let path = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    let whole = real(path) ?? real(self.folder(of: path)).map { "\($0)/\(name)" } ?? path
    guard whole.utf8.count > Limits.dataPathBytesMax else { return }
    throw StoreError(
      kind: .other, call: "open", path: folder,
      message: "the path is too long: behind symbolic links it has \(whole.utf8.count) bytes, and "
        + "SQLite takes \(Limits.dataPathBytesMax) for a directory; use a shorter one")
  }

  package static func removeFolder(_ path: String) throws(StoreError) {
    try checked("rmdir", path) { rmdir(path) }
  }
}
