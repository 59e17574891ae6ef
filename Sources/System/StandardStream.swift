import Glibc

/// Standard output and standard error, written without a buffer of our own.
package enum StandardStream: Int32, Sendable {
  case input = 0
  case output = 1
  case error = 2

  package var isTerminal: Bool { isatty(rawValue) == 1 }

  /// Opens on `/dev/null` which of the three the process was started without. To be called before
  /// anything else: the next file opened would get its number, and what is printed would go there.
  ///
  /// For reading only, so that what is written is an error: a command must not report success for
  /// output that nobody can get.
  package static func openClosed() {
    for stream in [StandardStream.input, .output, .error] where fcntl(stream.rawValue, F_GETFD) < 0
    {
      // The lowest number that is free, which is this one.
      if open("/dev/null", O_RDONLY) < 0, open("/", O_RDONLY | O_DIRECTORY) < 0 {
        _exit(ExitStatus.systemError.rawValue)
      }
    }
  }

  /// Writes all of `bytes`, and waits for whoever reads them.
  package func write(_ bytes: [UInt8]) throws(SystemError) {
    if let error = Self.write(bytes, to: rawValue).error { throw error }
  }

  /// The error of a command that could not print its output, in words.
  package struct Unprinted: Error {
    package var text: String

    package init(text: String) { self.text = text }
  }

  /// Writes what a command has to say to standard output.
  package static func print(_ text: String) throws(Unprinted) {
    do throws(SystemError) { try output.write(Array(text.utf8)) } catch {
      throw Unprinted(
        text: "standard output cannot be written, and all or part of what was to be said is lost: "
          + ErrorNumber.text(error.code))
    }
  }

  /// Writes to standard error what went wrong. Whoever does not read that is told by the exit
  /// status alone.
  package static func complain(_ text: String) {
    _ = write(Array(text.utf8), to: StandardStream.error.rawValue)
  }

  /// Writes all bytes. Returns how many were written, and the error that stopped the others.
  static func write(_ bytes: [UInt8], to descriptor: Int32) -> (sent: Int, error: SystemError?) {
    bytes.withUnsafeBytes { bytes in
      var sent = 0
      while sent < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
        let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
        if count > 0 {
          sent += count
          continue
        }
        let code = count == 0 ? EIO : errno
        switch code {
        case EINTR: continue
        case EAGAIN:
          // Whoever shares it has made it non-blocking.
          var wish = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          poll(&wish, 1, -1)
        default: return (sent, SystemError(call: "write", code: code))
        }
      }
      return (sent, nil)
    }
  }
}
