package import Glibc
package import System

/// The system calls of the store, with their errors as `StoreError`.
package enum Files {
  /// Runs a call that returns -1 on failure; `errno` is read before anything else can run.
  @discardableResult
  static func checked(
    _ call: StaticString, _ path: String, kind: StoreError.Kind = .workspaceFatal,
    _ body: () -> Int32
  ) throws(StoreError) -> Int32 {
    do {
      return try retrying(call, body)
    } catch {
      throw StoreError.system("\(call)", path, error.code, kind: kind)
    }
  }

  package static func open(
    _ path: String, _ flags: Int32, mode: mode_t = 0o600
  ) throws(StoreError) -> FileDescriptor {
    let raw = try checked("open", path) { Glibc.open(path, flags | O_CLOEXEC, mode) }
    return FileDescriptor(owning: raw)
  }

  /// Makes a folder that only this user may enter; `true` if it was not there.
  package static func makeFolder(_ path: String) throws(StoreError) -> Bool {
    if mkdir(path, 0o700) == 0 { return true }
    let code = errno
    guard code == EEXIST else { throw .system("mkdir", path, code, kind: .workspaceFatal) }
    return false
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// A new directory entry is durable after this, and not before. Failing is final: the kernel
  /// reports a lost write once.
  package static func sync(_ path: String) throws(StoreError) {
    let file = try open(path, O_RDONLY)
    try checked("fsync", path, kind: .ioFatal) { fsync(file.raw) }
  }

  /// Makes the next reader of a file see what is on the disk.
  ///
  /// After a write-back that failed the kernel keeps the pages that it has lost, and calls them
  /// clean. Who writes the same bytes over such a page on ext4 gets a sync without an error, and
  /// zeros after a power cut: the page still counts as mapped, so that its blocks stay marked
  /// unwritten. Evicted from the cache (posix_fadvise(2), POSIX_FADV_DONTNEED takes clean pages
  /// only) it is mapped anew.
  static func forgetCache(_ path: String) throws(StoreError) {
    let file = try open(path, O_RDONLY)
    // A failure here speaks of pages that an earlier process wrote: what it had acknowledged was
    // synced before, or stands in the log, which is read anew.
    _ = fdatasync(file.raw)
    let code = posix_fadvise(file.raw, 0, 0, POSIX_FADV_DONTNEED)
    guard code == 0 else { throw .system("posix_fadvise", path, code, kind: .workspaceFatal) }
  }

  package static func rename(_ old: String, to new: String) throws(StoreError) {
    try checked("rename", old) { Glibc.rename(old, new) }
  }

  /// Removes a file that may be missing.
  package static func remove(_ path: String) throws(StoreError) {
    if unlink(path) == 0 { return }
    let code = errno
    guard code == ENOENT else { throw .system("unlink", path, code, kind: .workspaceFatal) }
  }

  /// Cuts a file without opening it: closing a second descriptor of a database drops SQLite's
  /// locks.
  static func cut(_ path: String, to bytes: Int64) throws(StoreError) {
    try checked("truncate", path) { truncate(path, off_t(bytes)) }
  }

  package static func size(_ path: String) -> Int64 {
    var status = stat()
    return stat(path, &status) == 0 ? Int64(status.st_size) : 0
  }

  package static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The names in a folder, without `.` and `..`, sorted.
  package static func names(in path: String) throws(StoreError) -> [String] {
    guard let folder = opendir(path) else {
      throw .system("opendir", path, errno, kind: .workspaceFatal)
    }
    defer { closedir(folder) }
    var names = [String]()
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// The whole of a small file; empty when it cannot be read.
  static func contents(_ path: String) -> [UInt8] {
    let raw = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard raw >= 0 else { return [] }
    let file = FileDescriptor(owning: raw)
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = read(file.raw, &bytes, bytes.count)
    return Array(bytes.prefix(max(0, count)))
  }
}
