import CLinux
import Glibc

/// The CPU time and the memory that this process uses.
package struct ProcessUsage: Sendable {
  /// User and system time of all threads.
  package var cpuNanoseconds: Int64
  /// Bytes in RAM; 0 where /proc cannot be read.
  package var residentBytes: Int

  package static func now() -> ProcessUsage {
    var usage = rusage()
    let result = getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    precondition(result == 0, "the kernel knows RUSAGE_SELF")
    let seconds = Int64(usage.ru_utime.tv_sec) + Int64(usage.ru_stime.tv_sec)
    let microseconds = Int64(usage.ru_utime.tv_usec) + Int64(usage.ru_stime.tv_usec)
    return ProcessUsage(
      cpuNanoseconds: seconds * 1_000_000_000 + microseconds * 1000, residentBytes: resident())
  }

  /// proc(5): the second number of `statm` is the resident set, in pages.
  private static func resident() -> Int {
    let raw = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard raw >= 0 else { return 0 }
    let file = FileDescriptor(owning: raw)
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = read(file.raw, &bytes, bytes.count)
    let words = bytes.prefix(max(0, count)).split(separator: UInt8(ascii: " "))
    guard words.count > 1, let pages = Int(String(decoding: words[1], as: UTF8.self)) else {
      return 0
    }
    return pages * sysconf(Int32(_SC_PAGESIZE))
  }
}
