import Glibc
import System

/// `relay.lock`: held while a relay uses the directory. A file of its own, because closing a second
/// descriptor of a database would drop SQLite's locks.
package struct DirectoryLock: ~Copyable {
  private let file: FileDescriptor

  /// `flock` belongs to the open file: it ends with the process, however that ends.
  init(directory: String) throws(StoreError) {
    let path = directory + "/relay.lock"
    let file = try Files.open(path, O_RDWR | O_CREAT)
    try Self.take(file, path)
    let text = Array("\(getpid())".utf8)
    try Files.checked("ftruncate", path) { ftruncate(file.raw, 0) }
    try Files.checked("write", path) { Int32(pwrite(file.raw, text, text.count, 0)) }
    self.file = file
  }

  /// The same for one who only looks: nothing is written, and a file must be there.
  package init(reading directory: String) throws(StoreError) {
    let path = directory + "/relay.lock"
    let file = try Files.open(path, O_RDONLY)
    try Self.take(file, path)
    self.file = file
  }

  private static func take(
    _ file: borrowing FileDescriptor, _ path: String
  ) throws(StoreError) {
    if flock(file.raw, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      guard code == EWOULDBLOCK else { throw .system("flock", path, code, kind: .workspaceFatal) }
      let holder = String(decoding: Files.contents(path).prefix(20), as: UTF8.self)
      throw StoreError(
        kind: .busy, call: "lock", path: path,
        message: "another relay (process \(holder)) uses this data directory")
    }
  }
}
