import Glibc
import Relay

/// The result of stat(2) for a file, for diagnoses.
package struct FileStatus: Sendable {
  package var isFolder: Bool
  package var owner: UInt32
  /// The permission bits of the owner, the group and the others.
  package var permissions: UInt32
  let device: UInt64
  let inode: UInt64

  package init(path: String) throws(SystemError) {
    var status = stat()
    _ = try retrying("stat") { stat(path, &status) }
    isFolder = status.st_mode & S_IFMT == S_IFDIR
    owner = status.st_uid
    permissions = status.st_mode & 0o777
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }

  package static func isWritable(_ path: String) -> Bool { access(path, W_OK | X_OK) == 0 }

  package static var user: UInt32 { geteuid() }

  /// The process that holds a `flock` of the file, as /proc/locks names it; 0 if it is one of
  /// another namespace. `nil`: nobody, as far as can be seen.
  ///
  /// Trying the lock would keep a relay that starts in this moment from getting it.
  package var lockHolder: Int? {
    // 1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF
    let name = "\(Self.hex(Self.major(device))):\(Self.hex(Self.minor(device))):\(inode)"
    for line in SmallFile.text("/proc/locks").split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count > 5, words[1] == "FLOCK", words[5] == name else { continue }
      return Int(words[4]).map { max(0, $0) }
    }
    return nil
  }

  private static func hex(_ number: UInt64) -> String {
    let text = String(number, radix: 16)
    return text.count < 2 ? "0" + text : text
  }

  /// makedev(3), as glibc packs the two.
  private static func major(_ device: UInt64) -> UInt64 {
    (device >> 8) & 0xFFF | (device >> 32) & 0xFFFF_F000
  }

  private static func minor(_ device: UInt64) -> UInt64 {
    device & 0xFF | (device >> 12) & 0xFFFF_FF00
  }
}

/// A file of the kernel's, read whole.
package enum SmallFile {
  /// Limit: Bytes of a file of the kernel's that is read.
  private static let bytesMax = 4 * 1024 * 1024

  /// Empty where it cannot be read.
  package static func text(_ path: String) -> String {
    let raw = open(path, O_RDONLY | O_CLOEXEC)
    guard raw >= 0 else { return "" }
    let file = FileDescriptor(owning: raw)
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    while text.count < bytesMax {
      let count = read(file.raw, &buffer, buffer.count)
      guard count > 0 else { break }
      text += buffer.prefix(count)
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// Measures how long the disk takes to make a page durable.
package enum SyncProbe {
  /// Each of `count` syncs, of a file of its own in `folder` that is gone afterwards.
  package static func times(in folder: String, count: Int) throws(SystemError) -> [Duration] {
    let path = "\(folder)/.doctor-\(getpid())"
    let file = FileDescriptor(
      owning: try retrying("open") {
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      })
    defer { unlink(path) }
    let page = [UInt8](repeating: 0x61, count: 4096)
    var times: [Duration] = []
    for _ in 0..<count {
      let start = Clock.instant()
      _ = try retrying("write") { Int32(write(file.raw, page, page.count)) }
      _ = try retrying("fdatasync") { fdatasync(file.raw) }
      times.append(Clock.instant() - start)
    }
    return times
  }
}

/// Waiting, for programs that have nothing else to do. The relay itself never does.
package enum Pause {
  package static func wait(_ time: Duration) {
    usleep(useconds_t(clamping: time.nanoseconds / 1000))
  }
}
