import Glibc
import System

/// `relay.lock`: held while a relay uses the directory. A file of its own, because closing a second
/// descriptor of a database would drop SQLite's locks.
package struct DirectoryLock: ~Copyable {
  private let file: FileDescriptor
  private let path: String

  /// `flock` belongs to the open file: it ends with the process, however that ends.
  init(directory: String) throws(StoreError) {
    let path = directory + "/relay.lock"
    let file = try Files.open(path, O_RDWR | O_CREAT)
    try Self.take(file, path)
    // Only for people: a full disk that does not take it must not keep the relay from starting.
    let text = Array("\(getpid())".utf8)
    let isWritten = pwrite(file.raw, text, text.count, 0) == text.count
    let cut = ftruncate(file.raw, isWritten ? off_t(text.count) : 0)
    let code = errno
    guard cut == 0 || StoreError.isFull(code) else {
      throw .system("ftruncate", path, code, kind: .workspaceFatal)
    }
    self.file = file
    self.path = path
  }

  /// The same for one who only looks: nothing is written, and a file must be there.
  package init(reading directory: String) throws(StoreError) {
    let path = directory + "/relay.lock"
    let file = try Files.open(path, O_RDONLY)
    try Self.take(file, path)
    self.file = file
    self.path = path
  }

  /// The path still leads to the file that is locked: another relay would lock that one.
  var isInPlace: Bool {
    FileIdentity(path: path).map { $0 == FileIdentity(descriptor: file.raw) } ?? false
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
