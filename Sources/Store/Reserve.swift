import Glibc
import System

/// Space held back for the day the disk is full, so that results and receipts can still be written.
package struct Reserve: Sendable {
  package static let bytes = 64 * 1024 * 1024

  package let path: String

  package var isHeld: Bool { Files.size(path) >= Int64(Self.bytes) }

  /// Takes the space; throws `.full` when it is not there.
  package func take() throws(StoreError) {
    guard !isHeld else { return }
    let file = try Files.open(path, O_RDWR | O_CREAT)
    // It returns the error number and leaves errno alone.
    let code = posix_fallocate(file.raw, 0, off_t(Self.bytes))
    guard code == 0 else {
      try Files.remove(path)
      throw .system("posix_fallocate", path, code, kind: code == ENOSPC ? .full : .other)
    }
  }

  /// Gives the space to whoever writes next.
  package func giveUp() throws(StoreError) { try Files.remove(path) }
}
