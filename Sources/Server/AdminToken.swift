import Glibc
import System
import Wire

/// The token of the relay's operator. It comes from `ADMIN_TOKEN`, or is kept in a file of its own,
/// mode 0600, which the first start makes.
package struct AdminToken {
  var secret: String
  var path: String
  var isNew: Bool

  static func load(_ options: ServeOptions, data: String, random: Random) throws -> AdminToken {
    let path = "\(data)/\(name)"
    if let secret = options.adminToken {
      return AdminToken(secret: secret, path: path, isNew: false)
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      let code = errno
      guard code == ENOENT else {
        throw Unreadable(description: "\(path) cannot be read: \(ErrorNumber.text(code))")
      }
      return try make(path, in: data, random)
    }
    let file = FileDescriptor(owning: descriptor)
    do throws(CredentialText.Refusal) {
      let secret = try CredentialText.read(file, of: path)
      return AdminToken(secret: secret, path: path, isNew: false)
    } catch {
      throw Unreadable(
        description: error.text + "; write the token there, or remove the file to have one made")
    }
  }

  package static let name = "admin-token"

  /// Makes a token. The file is written whole and synced before its name appears, so that a crash
  /// leaves no half of a token.
  private static func make(_ path: String, in data: String, _ random: Random) throws -> AdminToken {
    let secret = "radm_" + Base64.encodeURL(random.bytes(32))
    let temporary = path + ".new"
    let file = FileDescriptor(
      owning: try retrying("open admin-token.new") {
        open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
      })
    let line = Array((secret + "\n").utf8)
    guard write(file.raw, line, line.count) == line.count else {
      throw Unreadable(description: "\(temporary) cannot be written: \(ErrorNumber.text(errno))")
    }
    _ = try retrying("fsync admin-token.new") { fsync(file.raw) }
    _ = try retrying("rename admin-token.new") { rename(temporary, path) }
    // The token is shown once: the name of its file must outlast a power cut too.
    let folder = FileDescriptor(
      owning: try retrying("open data directory") {
        open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      })
    _ = try retrying("fsync data directory") { fsync(folder.raw) }
    return AdminToken(secret: secret, path: path, isNew: true)
  }

  struct Unreadable: Error, CustomStringConvertible {
    var description: String
  }
}
