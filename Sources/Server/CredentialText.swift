import Glibc
import Relay
package import System

/// The one rule for credentials that people write down, in a file or in the environment: visible
/// ASCII without spaces, of a length that can be neither guessed nor mistaken for a whole file.
///
/// One line end at the end is dropped, since `echo` and editors put it there. Anything else is
/// refused: the relay must never start with a token that was not meant.
package enum CredentialText {
  package struct Refusal: Error {
    package var text: String
  }

  /// Reads a credential.
  ///
  /// - `source`: the variable or path that was read, for the refusal.
  package static func parse(_ bytes: [UInt8], of source: String) throws(Refusal) -> String {
    let allowed =
      "a credential has \(Limits.credentialBytesMin) to \(Limits.credentialBytesMax) visible ASCII "
      + "characters without spaces, and at most one line end behind it"
    var text = bytes[...]
    if text.last == 0x0A { text.removeLast() }
    if text.count < bytes.count, text.last == 0x0D { text.removeLast() }
    if text.starts(with: [0xEF, 0xBB, 0xBF]) {
      throw Refusal(
        text: "\(source) begins with a byte order mark; \(allowed): save it as plain ASCII")
    }
    if let place = text.firstIndex(where: { !(0x21...0x7E).contains($0) }) {
      throw Refusal(text: "\(source) has \(name(text[place])) at byte \(place + 1); \(allowed)")
    }
    guard text.count >= Limits.credentialBytesMin else {
      throw Refusal(text: "\(source) has \(text.count) characters; \(allowed)")
    }
    guard text.count <= Limits.credentialBytesMax else {
      throw Refusal(text: "\(source) is longer than a credential can be; \(allowed)")
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads a file that holds nothing but a credential.
  ///
  /// - `descriptor`: open for reading.
  package static func read(
    _ descriptor: borrowing FileDescriptor, of path: String
  ) throws(Refusal) -> String {
    // A line end of two bytes, and one more byte to see that it is too long.
    var bytes = [UInt8](repeating: 0, count: Limits.credentialBytesMax + 3)
    var filled = 0
    while filled < bytes.count {
      let count = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(descriptor.raw, buffer.baseAddress! + filled, buffer.count - filled)
      }
      if count < 0 {
        let code = errno
        if code == EINTR { continue }
        throw Refusal(text: "\(path) cannot be read: \(ErrorNumber.text(code))")
      }
      if count == 0 { break }
      filled += count
    }
    return try parse(Array(bytes.prefix(filled)), of: path)
  }

  private static func name(_ byte: UInt8) -> String {
    switch byte {
    case 0x20: "a space"
    case 0x09: "a tab"
    case 0x0A, 0x0D: "a line end"
    case 0x00...0x1F, 0x7F: "a control character"
    default: "a byte that is no ASCII"
    }
  }
}
