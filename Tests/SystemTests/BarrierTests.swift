import Dispatch
import Glibc
import System
import Testing

@Suite struct BarrierTests {
  /// What was called, and a gate in front of the first call.
  final class Calls: @unchecked Sendable {
    private let lock = DispatchSemaphore(value: 1)
    private var names: [String] = []
    /// Signalled when a call has begun; the call then waits for `gate`.
    let begun = DispatchSemaphore(value: 0)
    let gate = DispatchSemaphore(value: 0)
    let isGated: Bool
    let failing: String?

    init(isGated: Bool = false, failing: String? = nil) {
      self.isGated = isGated
      self.failing = failing
    }

    var made: [String] {
      lock.wait()
      defer { lock.signal() }
      return names
    }

    private func call(_ name: String, _ file: Int32) -> Int32 {
      lock.wait()
      names.append("\(name) \(file)")
      lock.signal()
      if isGated {
        begun.signal()
        gate.wait()
      }
      return name == failing ? EIO : 0
    }

    var seam: SyncCalls {
      SyncCalls(fdatasync: { self.call("fdatasync", $0) }, syncfs: { self.call("syncfs", $0) })
    }
  }

  /// Takes a report, and waits for the eventfd, with a limit, until there is one: a wake may belong
  /// to a report that was taken before it.
  private func report(_ barrier: Barrier, _ wake: borrowing FileDescriptor) throws -> BarrierReport
  {
    while true {
      if let report = barrier.takeReport() { return report }
      var waiting = pollfd(fd: wake.raw, events: Int16(POLLIN), revents: 0)
      try #require(poll(&waiting, 1, 10_000) == 1)
      var count: UInt64 = 0
      try #require(read(wake.raw, &count, 8) == 8)
    }
  }

  private func run(
    _ files: [Int32], choice: Barrier.Choice = .auto, supportsSyncfs: Bool = true, calls: Calls
  ) throws -> BarrierReport {
    let wake = try FileDescriptor.wakeup()
    let barrier = try Barrier(
      directory: 99, choice: choice, supportsSyncfs: supportsSyncfs, wake: wake.raw,
      calls: calls.seam)
    defer { barrier.stop() }
    barrier.submit(round: 7, files: files)
    return try report(barrier, wake)
  }

  @Test func `a real file is synced and its round reported`() throws {
    let wake = try FileDescriptor.wakeup()
    var name = Array("/tmp/barrier-XXXXXX".utf8CString)
    let file = FileDescriptor(owning: mkstemp(&name))
    defer { unlink(&name) }
    let barrier = try Barrier(
      directory: file.raw, choice: .auto, supportsSyncfs: true, wake: wake.raw)
    defer { barrier.stop() }
    try #require(write(file.raw, "x", 1) == 1)
    barrier.submit(round: 1, files: [file.raw])
    let done = try report(barrier, wake)
    #expect(done.round == 1)
    #expect(done.form == .fdatasync)
    #expect(done.files == 1)
    #expect(done.failure == nil)
    #expect(done.nanoseconds > 0)
    #expect(barrier.takeReport() == nil)
  }

  @Test func `up to two files are synced one by one`() throws {
    let calls = Calls()
    let done = try run([4, 5, 4], calls: calls)
    #expect(done.form == .fdatasync)
    #expect(calls.made == ["fdatasync 4", "fdatasync 5"])
  }

  @Test func `more files take one syncfs and one fdatasync`() throws {
    let calls = Calls()
    let done = try run([6, 4, 5], calls: calls)
    #expect(done.form == .syncfs)
    #expect(done.files == 3)
    #expect(calls.made == ["syncfs 99", "fdatasync 4"])
  }

  @Test(arguments: [(Barrier.Choice.fdatasync, true), (.auto, false)])
  func `without syncfs every file is synced by itself`(
    choice: Barrier.Choice, supportsSyncfs: Bool
  ) throws {
    let calls = Calls()
    let done = try run([4, 5, 6], choice: choice, supportsSyncfs: supportsSyncfs, calls: calls)
    #expect(done.form == .fdatasync)
    #expect(calls.made == ["fdatasync 4", "fdatasync 5", "fdatasync 6"])
  }

  @Test func `a sync on the caller's thread reports as the other does, and wakes nobody`() throws {
    let calls = Calls()
    let wake = try FileDescriptor.wakeup()
    let barrier = try Barrier(
      directory: 99, choice: .auto, supportsSyncfs: true, wake: wake.raw, calls: calls.seam)
    defer { barrier.stop() }
    let done = barrier.syncHere(round: 5, files: [4])
    #expect(done.round == 5)
    #expect(done.form == .fdatasync)
    #expect(done.failure == nil)
    #expect(calls.made == ["fdatasync 4"])
    #expect(barrier.takeReport() == nil)
    var waiting = pollfd(fd: wake.raw, events: Int16(POLLIN), revents: 0)
    #expect(poll(&waiting, 1, 0) == 0)
  }

  @Test func `a failure on the caller's thread says which call and why`() throws {
    let wake = try FileDescriptor.wakeup()
    let barrier = try Barrier(
      directory: 99, choice: .auto, supportsSyncfs: true, wake: wake.raw,
      calls: Calls(failing: "fdatasync").seam)
    defer { barrier.stop() }
    let failure = barrier.syncHere(round: 5, files: [4]).failure
    #expect(failure == BarrierReport.Failure(call: "fdatasync", code: EIO, file: 4))
  }

  @Test func `one barrier covers every round submitted before it started`() throws {
    let calls = Calls(isGated: true)
    let wake = try FileDescriptor.wakeup()
    let barrier = try Barrier(
      directory: 99, choice: .fdatasync, supportsSyncfs: true, wake: wake.raw, calls: calls.seam)
    defer { barrier.stop() }
    barrier.submit(round: 1, files: [4])
    calls.begun.wait()
    // The first is at work: these three wait for the next.
    barrier.submit(round: 2, files: [4])
    barrier.submit(round: 3, files: [5])
    barrier.submit(round: 4, files: [4])
    for _ in 0..<3 { calls.gate.signal() }
    let first = try report(barrier, wake)
    #expect(first.round == 1)
    let second = try report(barrier, wake)
    #expect(second.round == 4)
    #expect(second.files == 2)
    #expect(calls.made == ["fdatasync 4", "fdatasync 4", "fdatasync 5"])
  }

  @Test func `a round without files is reported after nothing`() throws {
    let calls = Calls()
    #expect(try run([], calls: calls).failure == nil)
    #expect(calls.made.isEmpty)
  }

  @Test(arguments: ["syncfs", "fdatasync"])
  func `a failure of either call fails the round`(call: String) throws {
    let calls = Calls(failing: call)
    let failure = try #require(try run([4, 5, 6], calls: calls).failure)
    #expect(failure.call == call)
    #expect(failure.code == EIO)
  }

  @Test func `the first failing file ends the barrier`() throws {
    let calls = Calls(failing: "fdatasync")
    #expect(try run([4, 5], calls: calls).failure?.file == 4)
    #expect(calls.made == ["fdatasync 4"])
  }

  @Test func `after a failure nothing is synced any more`() throws {
    let calls = Calls(failing: "fdatasync")
    let wake = try FileDescriptor.wakeup()
    let barrier = try Barrier(
      directory: 99, choice: .auto, supportsSyncfs: true, wake: wake.raw, calls: calls.seam)
    barrier.submit(round: 1, files: [4])
    #expect(try report(barrier, wake).failure != nil)
    barrier.submit(round: 2, files: [5])
    // The thread has ended: joining it shows that it has made no call since.
    barrier.stop()
    #expect(barrier.takeReport() == nil)
    #expect(calls.made == ["fdatasync 4"])
  }

  @Test func `a descriptor that cannot be synced is a failure`() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    let read = FileDescriptor(owning: ends[0])
    let write = FileDescriptor(owning: ends[1])
    let wake = try FileDescriptor.wakeup()
    let barrier = try Barrier(
      directory: read.raw, choice: .auto, supportsSyncfs: true, wake: wake.raw)
    defer { barrier.stop() }
    barrier.submit(round: 3, files: [write.raw])
    let done = try report(barrier, wake)
    #expect(done.round == 3)
    #expect(done.failure == BarrierReport.Failure(call: "fdatasync", code: EINVAL, file: write.raw))
  }

  @Test func `a closed descriptor is a failure`() throws {
    let wake = try FileDescriptor.wakeup()
    let barrier = try Barrier(directory: -1, choice: .auto, supportsSyncfs: true, wake: wake.raw)
    defer { barrier.stop() }
    barrier.submit(round: 3, files: [-1, -2, -3])
    #expect(try report(barrier, wake).failure?.code == EBADF)
  }

  @Test func `stopping ends a thread that waits, once`() throws {
    let wake = try FileDescriptor.wakeup()
    let barrier = try Barrier(
      directory: -1, choice: .auto, supportsSyncfs: true, wake: wake.raw, calls: Calls().seam)
    barrier.stop()
    barrier.stop()
    #expect(barrier.takeReport() == nil)
  }
}
