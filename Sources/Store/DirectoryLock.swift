import Glibc
import System

/// `relay.lock`: held while a relay uses the directory. A file of its own, because closing a second
/// descriptor of a database would drop SQLite's locks.
package struct DirectoryLock: ~Copyable {
  private let file: FileDescriptor
  private let path: String
  /// The progress of relay.db that the relay which ran last has noted here; 0 if there is none, or
  /// the record cannot be read.
  package let notedProgress: Int64

  /// `flock` belongs to the open file: it ends with the process, however that ends.
  init(directory: String) throws(StoreError) {
    let path = directory + "/relay.lock"
    let file = try Files.open(path, O_RDWR | O_CREAT)
    try Self.take(file, path)
    let noted = Self.progress(in: Files.contents(path))
    // Only for people: a full disk that does not take it must not keep the relay from starting.
    let number = "\(getpid())"
    let padding = String(repeating: " ", count: max(0, Self.recordStart - 1 - number.utf8.count))
    let text = Array((number + padding + "\n").utf8)
    if pwrite(file.raw, text, text.count, 0) != text.count, ftruncate(file.raw, 0) != 0 {
      let code = errno
      guard StoreError.isFull(code) else {
        throw .system("ftruncate", path, code, kind: .workspaceFatal)
      }
    }
    self.file = file
    self.path = path
    notedProgress = noted
  }

  /// The offset of the record of progress, behind the number of the process.
  private static let recordStart = 32

  /// Notes how far relay.db is on the disk. It is not synced: an older record, none or half of one
  /// only means that less can be told at the next start.
  func note(progress: Int64) throws(StoreError) {
    // The second number tells a whole record from half of one.
    let record = Array("relay.db \(progress) \(Int64.max - progress)\n".utf8)
    let count = pwrite(file.raw, record, record.count, off_t(Self.recordStart))
    let code = errno
    guard count == record.count else { throw .system("pwrite", path, code, kind: .other) }
  }

  private static func progress(in contents: [UInt8]) -> Int64 {
    let line = contents.dropFirst(recordStart).prefix { $0 != UInt8(ascii: "\n") }
    let words = line.split(separator: UInt8(ascii: " "))
    let numbers = words.dropFirst().compactMap { Int64(String(decoding: $0, as: UTF8.self)) }
    guard words.count == 3, numbers.count == 2, (1..<Int64.max).contains(numbers[0]),
      numbers[1] == Int64.max - numbers[0]
    else { return 0 }
    return numbers[0]
  }

  /// Takes the lock only to read the directory: nothing is written, and the lock file must exist.
  package init(reading directory: String) throws(StoreError) {
    let path = directory + "/relay.lock"
    let file = try Files.open(path, O_RDONLY)
    try Self.take(file, path)
    notedProgress = Self.progress(in: Files.contents(path))
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
      let holder = String(decoding: Files.contents(path).prefix { $0 > 0x20 }, as: UTF8.self)
      throw StoreError(
        kind: .busy, call: "lock", path: path,
        message: "another relay (process \(holder)) uses this data directory")
    }
  }
}
