import Glibc
import System
import Wire

/// The operator's credential: from the environment, or kept in a file of its own, mode 0600.
struct AdminToken {
  var secret: String
  var path: String
  var isNew: Bool

  static func load(_ options: ServeOptions, data: String, random: Random) throws -> AdminToken {
    let path = data + "/admin-token"
    if let secret = options.adminToken {
      return AdminToken(secret: secret, path: path, isNew: false)
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor >= 0 {
      let file = FileDescriptor(owning: descriptor)
      var bytes = [UInt8](repeating: 0, count: 512)
      let count = read(file.raw, &bytes, bytes.count)
      let secret = String(decoding: bytes.prefix(max(0, count)).prefix { $0 > 0x20 }, as: UTF8.self)
      guard secret.utf8.count >= 16 else { throw Unreadable(path: path) }
      return AdminToken(secret: secret, path: path, isNew: false)
    }
    guard errno == ENOENT else { throw Unreadable(path: path) }
    return try make(path, in: data, random)
  }

  /// Written whole and synced before its name appears: a crash leaves no half a token.
  private static func make(_ path: String, in data: String, _ random: Random) throws -> AdminToken {
    let secret = "radm_" + Base64.encodeURL(random.bytes(32))
    let temporary = path + ".new"
    let file = FileDescriptor(
      owning: try retrying("open admin-token.new") {
        open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
      })
    let line = Array((secret + "\n").utf8)
    guard write(file.raw, line, line.count) == line.count else { throw Unreadable(path: temporary) }
    _ = try retrying("fsync admin-token.new") { fsync(file.raw) }
    _ = try retrying("rename admin-token.new") { rename(temporary, path) }
    // It is shown once: its name must outlast a power cut too.
    let folder = FileDescriptor(
      owning: try retrying("open data directory") {
        open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      })
    _ = try retrying("fsync data directory") { fsync(folder.raw) }
    return AdminToken(secret: secret, path: path, isNew: true)
  }

  struct Unreadable: Error, CustomStringConvertible {
    var path: String
    var description: String {
      "\(path) cannot be read or written, or holds no token of at least 16 bytes"
    }
  }
}
