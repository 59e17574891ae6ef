import Glibc
import System

/// Where a command finds the operator's credential: a file that it names, the environment, or the
/// one that the relay has made in its data directory.
package enum OperatorCredential {
  package struct Missing: Error {
    package var text: String
  }

  /// - `file`: of `--token-file`; then nothing else is looked at.
  package static func find(
    file: String?, data: String, environment: (String) -> String?
  ) throws(Missing) -> String {
    if let file { return try read(file) }
    for name in ["A2A_RELAY_TOKEN", "ADMIN_TOKEN"] {
      if let token = environment(name), !token.isEmpty { return token }
    }
    return try read(data + "/admin-token")
  }

  private static func read(_ path: String) throws(Missing) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let code = errno
      throw Missing(
        text: "\(path): \(ErrorNumber.text(code)); name a credential by --token-file, or by "
          + "A2A_RELAY_TOKEN or ADMIN_TOKEN in the environment")
    }
    let file = FileDescriptor(owning: descriptor)
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = Glibc.read(file.raw, &bytes, bytes.count)
    let token = String(
      decoding: bytes.prefix(max(0, count)).prefix { $0 > 0x20 }, as: UTF8.self)
    guard !token.isEmpty else { throw Missing(text: "\(path) holds no token") }
    return token
  }
}
