import Glibc
import System

/// The folder in which one run keeps its files, removed at the end.
struct Scratch {
  let path: String

  /// Makes a new folder inside `parent`, which is a folder on the disk that is to be measured.
  init(in parent: String?) throws(BenchError) {
    let parent = parent ?? "/var/tmp"
    mkdir(parent, 0o700)
    path = "\(parent)/a2a-bench-\(getpid())"
    guard mkdir(path, 0o700) == 0 else {
      throw .failed("cannot make the folder \(path): errno \(errno)")
    }
  }

  func sub(_ name: String) -> String { "\(path)/\(name)" }

  func remove() { Self.remove(path) }

  static func remove(_ path: String) {
    if let folder = opendir(path) {
      var names: [String] = []
      while let entry = readdir(folder) {
        names.append(
          withUnsafeBytes(of: &entry.pointee.d_name) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
          })
      }
      closedir(folder)
      for name in names where name != "." && name != ".." { remove("\(path)/\(name)") }
      rmdir(path)
    } else {
      unlink(path)
    }
  }
}

/// The whole of a text file of /proc; empty when it cannot be read.
func contents(_ path: String) -> String {
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { return "" }
  defer { close(file) }
  var bytes: [UInt8] = []
  var part = [UInt8](repeating: 0, count: 16_384)
  while true {
    let count = read(file, &part, part.count)
    guard count > 0 else { break }
    bytes.append(contentsOf: part[..<count])
  }
  return String(decoding: bytes, as: UTF8.self)
}

/// Sleeps until `instant` on the clock of `ticks()`.
func sleep(until instant: Int64) {
  var time = timespec()
  time.tv_sec = Int(instant / nanosecondsPerSecond)
  time.tv_nsec = Int(instant % nanosecondsPerSecond)
  while clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &time, nil) == EINTR {}
}
