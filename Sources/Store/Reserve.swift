import Glibc
import System

/// Space held back for the day the disk is full.
package struct Reserve: Sendable {
  package let path: String
  package let bytes: Int64

  package var isHeld: Bool { Files.size(path) >= bytes }

  /// Takes the space, if `more` bytes would be there beside it; says whether they are.
  package func take(proving more: Int64) throws(StoreError) -> Bool {
    let before = isHeld ? bytes : 0
    let file = try Files.open(path, O_RDWR | O_CREAT)
    // It returns the error number and leaves errno alone.
    let code = posix_fallocate(file.raw, 0, off_t(bytes + more))
    let isThere = code == 0
    guard isThere || StoreError.isFull(code) else {
      throw .system("posix_fallocate", path, code, kind: .other)
    }
    try Files.checked("ftruncate", path) { ftruncate(file.raw, off_t(isThere ? bytes : before)) }
    return isThere
  }

  /// Gives the space to whoever writes next. The file stays: to make it anew would need an inode.
  /// But btrfs cuts no file when a quota is used up, and removes it.
  package func giveUp() throws(StoreError) {
    guard Files.exists(path) else { return }
    do throws(StoreError) { try Files.cut(path, to: 0) } catch {
      guard error.kind == .full else { throw error }
      try Files.remove(path)
    }
  }
}
