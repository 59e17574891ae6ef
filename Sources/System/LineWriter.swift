import CLinux
import Glibc
package import Relay

/// Writes lines to a descriptor from a thread of its own: whoever hands it a line never waits.
///
/// A pipe that nobody reads, a terminal that Ctrl-S has stopped or a disk that hangs blocks only
/// this thread. Up to `logBufferBytesMax` bytes wait for it; lines beyond that, and lines that
/// cannot be written, are dropped and counted, and the next line that gets through says how many.
/// The descriptor's own flags stay as they are, because other processes share them.
///
/// `@unchecked Sendable`: what changes lies behind `monitor`, or belongs to the thread alone.
package final class LineWriter: @unchecked Sendable {
  /// Lines that were dropped since the last report.
  package struct Loss: Sendable {
    package var lines: Int
    /// The error number of the last line that could not be written; 0 if only the buffer was full.
    package var error: Int32
  }

  private let descriptor: Int32
  private let limits: Limits
  private let report: @Sendable (Loss) -> [UInt8]
  private let monitor = Monitor()

  // Behind the monitor.
  private var waiting: [[UInt8]] = []
  private var waitingBytes = 0
  private var overflow = 0
  private var lostLines = 0
  private var isStarted = false
  private var isWriting = false

  // The thread's own.
  private var loss = Loss(lines: 0, error: 0)
  private var isInsideLine = false

  /// - `descriptor`: stays open for as long as the process lives.
  /// - `report`: called on the thread; makes the line that tells of lost ones.
  package init(
    _ descriptor: Int32, limits: Limits = Limits(), report: @escaping @Sendable (Loss) -> [UInt8]
  ) {
    self.descriptor = descriptor
    self.limits = limits
    self.report = report
  }

  /// Lines that were dropped, in all.
  package var lost: Int { monitor.locked { lostLines } }

  /// Takes a whole line, with its line feed. One of up to `LogLine.bytesMax` bytes is written at
  /// once, so that no other writer of the same pipe gets in between.
  package func write(_ line: [UInt8]) {
    monitor.locked {
      // After a line that was dropped the order of the others would hide where it is missing.
      guard overflow == 0, waitingBytes + line.count <= limits.logBufferBytesMax, start() else {
        overflow += 1
        lostLines += 1
        return
      }
      waiting.append(line)
      waitingBytes += line.count
    }
    monitor.wakeAll()
  }

  /// Waits until what was handed over has been written or dropped, for at most `logFlushTime`: for
  /// the end of the process, which no reader may hold up.
  package func flush() {
    let end = Monitor.deadline(after: limits.logFlushTime)
    monitor.locked {
      while isWriting || !waiting.isEmpty {
        guard monitor.wait(until: end) else { return }
      }
    }
  }

  /// The thread is made for the first line, and again for the next if there was none to be had.
  private func start() -> Bool {
    guard !isStarted else { return true }
    // The loop takes the process's signals. Who blocks SIGTTOU may write to a terminal from the
    // background.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    let writer = Unmanaged.passRetained(self)
    let code = pthread_create(
      &thread, nil,
      { context in
        Unmanaged<LineWriter>.fromOpaque(context!).takeRetainedValue().run()
        return nil
      }, writer.toOpaque())
    isStarted = code == 0
    if isStarted { pthread_detach(thread) } else { writer.release() }
    return isStarted
  }

  // MARK: the thread

  private func run() {
    while true {
      let (lines, dropped) = next()
      for line in lines where !(tellLoss() && put(line)) { drop() }
      loss.lines += dropped
      _ = tellLoss()
      monitor.locked { isWriting = false }
      monitor.wakeAll()
    }
  }

  /// Waits for lines, and returns them with the number of lines that were dropped after them. A
  /// loss that could not be reported is reported again after a while.
  private func next() -> (lines: [[UInt8]], dropped: Int) {
    let retry = Monitor.deadline(after: limits.logRetry)
    return monitor.locked {
      while waiting.isEmpty, overflow == 0 {
        if loss.lines == 0 { monitor.wait() } else if !monitor.wait(until: retry) { break }
      }
      defer {
        waiting = []
        waitingBytes = 0
        overflow = 0
        isWriting = true
      }
      return (waiting, overflow)
    }
  }

  private func drop() {
    loss.lines += 1
    monitor.locked { lostLines += 1 }
  }

  /// Reports a loss. Returns whether none is left to be reported.
  private func tellLoss() -> Bool {
    guard loss.lines > 0 else { return true }
    guard put(report(loss)) else { return false }
    loss = Loss(lines: 0, error: 0)
    return true
  }

  /// Writes a line, and returns whether all of it was written. The rest of a line that was cut off
  /// is lost: the next one begins on a line of its own.
  private func put(_ line: [UInt8]) -> Bool {
    let bytes = isInsideLine ? [UInt8(ascii: "\n")] + line : line
    let (sent, error) = StandardStream.write(bytes, to: descriptor)
    if sent > 0 { isInsideLine = bytes[sent - 1] != UInt8(ascii: "\n") }
    guard let error else { return true }
    loss.error = error.code
    return false
  }
}
