import Glibc
import System

/// How long the disk takes for one `fdatasync`, by itself and after a pause.
///
/// The file has its size beforehand and is written over again and again, like a WAL that is used
/// again from its beginning: 4 KiB, then the sync, of which the sync alone is timed.
struct DiskRun {
  static let fileBytes = 8 * 1024 * 1024
  static let block = 4096

  let path: String

  func measure(seconds: Int, into measures: inout Measures) throws(BenchError) {
    let file = try prepare()
    defer {
      close(file)
      unlink(path)
    }
    _ = try samples(file, seconds: 1, pause: 0)
    let start = ticks()
    let backToBack = try samples(file, seconds: seconds, pause: 0)
    let elapsed = Double(ticks() - start) / 1e9
    // As many samples as the latency figures have, which are held against these.
    let paced = try samples(file, seconds: LatencyRun.seconds, pause: nanosecondsPerSecond / 100)
    let fast = backToBack.milliseconds([50, 99])
    let slow = paced.milliseconds([50, 99])
    measures[.syncP50] = fast[0]
    measures[.syncP99] = fast[1]
    measures[.syncRate] = Double(backToBack.values.count) / elapsed
    measures[.pacedP50] = slow[0]
    measures[.pacedP99] = slow[1]
  }

  private func prepare() throws(BenchError) -> Int32 {
    let file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw .failed("cannot make \(path): errno \(errno)") }
    let zeros = [UInt8](repeating: 0, count: Self.fileBytes)
    let count = pwrite(file, zeros, zeros.count, 0)
    guard count == zeros.count, fsync(file) == 0 else {
      close(file)
      throw .failed("cannot fill \(path): errno \(errno)")
    }
    return file
  }

  private func samples(_ file: Int32, seconds: Int, pause: Int64) throws(BenchError) -> Samples {
    var samples = Samples(capacity: 8192 * seconds)
    var block = [UInt8](repeating: 1, count: Self.block)
    var offset = 0
    var due = ticks()
    let end = due + Int64(seconds) * nanosecondsPerSecond
    while due < end {
      try Interrupt.check()
      block[0] &+= 1
      guard pwrite(file, block, block.count, offset) == block.count else {
        throw .failed("cannot write to \(path): errno \(errno)")
      }
      offset = (offset + Self.block) % Self.fileBytes
      let start = ticks()
      guard fdatasync(file) == 0 else { throw .failed("fdatasync: errno \(errno)") }
      let now = ticks()
      samples.add(now - start)
      due = pause > 0 ? due + pause : now
      if pause > 0 { sleep(until: due) }
    }
    return samples
  }
}
