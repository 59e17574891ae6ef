import CLinux
import Glibc

/// Random numbers for ids, tokens and jitter, all from the kernel's generator.
///
/// 512 are fetched at a time, because a system call costs more than the number. Each is wiped when
/// it is given out: a dump of the process shows no token by way of this buffer. Owned by one
/// thread.
package final class Random: RandomNumberGenerator {
  private static let capacity = 512
  private var buffer = [UInt64](repeating: 0, count: capacity)
  private var used = capacity

  package init() {}

  package func next() -> UInt64 {
    if used == Random.capacity { refill() }
    let value = buffer[used]
    buffer[used] = 0
    used += 1
    return value
  }

  package func bytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8]()
    bytes.reserveCapacity(count)
    while bytes.count < count {
      var word = next()
      for _ in 0..<min(8, count - bytes.count) {
        bytes.append(UInt8(truncatingIfNeeded: word))
        word >>= 8
      }
    }
    return bytes
  }

  private func refill() {
    buffer.withUnsafeMutableBytes { bytes in
      var filled = 0
      while filled < bytes.count {
        let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[filled...])
        let count = getrandom(rest.baseAddress, rest.count, 0)
        // It fails only by EINTR, and only for more than 256 bytes (getrandom(2)).
        if count > 0 { filled += count } else { precondition(errno == EINTR, "no random numbers") }
      }
    }
    used = 0
  }
}
