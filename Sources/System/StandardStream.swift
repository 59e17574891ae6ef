import Glibc

/// Standard output and standard error, written without a buffer of our own.
package enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  package var isTerminal: Bool { isatty(rawValue) == 1 }

  /// Writes all of `bytes`. A stream that nobody reads any more is no reason to stop: what cannot
  /// be written is dropped.
  package func write(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = Glibc.write(
          rawValue, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
      }
    }
  }

  package func write(_ text: String) { write(Array(text.utf8)) }
}
