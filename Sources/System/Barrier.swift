import CLinux
import Glibc

/// Makes rounds durable: a thread of its own that does nothing but sync.
///
/// The loop commits a round, submits it and goes on; one barrier covers every round submitted
/// before it starts. A failure is final: the kernel reports a lost write once and marks the pages
/// clean, so that a second sync would succeed without them. After one the barrier never syncs
/// again.
///
/// `@unchecked Sendable`: all that changes lies in `mailbox`, behind its mutex; the rest is
/// constant.
package final class Barrier: @unchecked Sendable {
  package enum Choice: Sendable { case auto, fdatasync }

  private let directory: Int32
  private let mayUseSyncfs: Bool
  private let wake: Int32
  private let calls: SyncCalls
  private let mailbox = BarrierMailbox()
  private var thread = pthread_t()
  private var isRunning = true

  /// - `directory`: opened before the first write, so that `syncfs` reports every error since.
  /// - `wake`: an eventfd of the loop, written to after every report. Both stay the caller's, and
  ///   open until `stop`.
  package init(
    directory: Int32, choice: Choice, supportsSyncfs: Bool, wake: Int32, calls: SyncCalls = .kernel
  ) throws(SystemError) {
    self.directory = directory
    mayUseSyncfs = choice == .auto && supportsSyncfs
    self.wake = wake
    self.calls = calls
    let barrier = Unmanaged.passRetained(self)
    let code = pthread_create(
      &thread, nil,
      { context in
        let barrier = Unmanaged<Barrier>.fromOpaque(context!).takeRetainedValue()
        barrier.run()
        return nil
      }, barrier.toOpaque())
    guard code == 0 else {
      barrier.release()
      isRunning = false
      throw SystemError(call: "pthread_create", code: code)
    }
  }

  /// The loop has committed `round`; `files` are the `-wal` descriptors of its files, which stay
  /// open until the round is reported. Rounds come in ascending order.
  package func submit(round: UInt64, files: [Int32]) { mailbox.submit(round: round, files: files) }

  /// Syncs a round on the caller's own thread, for when handing it to the barrier's thread would
  /// take as long as the sync. Call it only while every submitted round has been reported.
  package func syncHere(round: UInt64, files: [Int32]) -> BarrierReport {
    sync(BarrierMailbox.Work(round: round, files: files))
  }

  /// The oldest report not taken yet. Take until there is none: one wake may stand for several.
  package func takeReport() -> BarrierReport? { mailbox.takeReport() }

  /// Ends the thread after the barrier it is in; what was submitted since is not synced.
  package func stop() {
    guard isRunning else { return }
    isRunning = false
    mailbox.stop()
    pthread_join(thread, nil)
  }

  // MARK: the thread

  private func run() {
    // Signals belong to the loop; here one would only interrupt a sync.
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, nil)
    while let work = mailbox.next() {
      let report = sync(work)
      mailbox.post(report)
      var one: UInt64 = 1
      _ = write(wake, &one, 8)
      if report.failure != nil { return }
    }
  }

  private func sync(_ work: BarrierMailbox.Work) -> BarrierReport {
    // The same file in several rounds is synced once.
    let files = Set(work.files).sorted()
    let form: BarrierReport.Form =
      mayUseSyncfs && files.count > Self.filesOneByOne ? .syncfs : .fdatasync
    let start = Self.nanoseconds()
    let failure = form == .syncfs ? syncAll(files) : syncEach(files[...])
    return BarrierReport(
      round: work.round, form: form, files: files.count, nanoseconds: Self.nanoseconds() - start,
      failure: failure)
  }

  /// Up to here one `fdatasync` each is faster than a sync of the file system.
  static let filesOneByOne = 2

  /// On XFS `syncfs` alone sends no flush to the device once a WAL overwrites itself: one
  /// `fdatasync` of a file of the round makes it. The round is durable only if both succeed.
  private func syncAll(_ files: [Int32]) -> BarrierReport.Failure? {
    let code = calls.syncfs(directory)
    if code != 0 { return BarrierReport.Failure(call: "syncfs", code: code, file: directory) }
    return syncEach(files.prefix(1))
  }

  private func syncEach(_ files: ArraySlice<Int32>) -> BarrierReport.Failure? {
    for file in files {
      let code = calls.fdatasync(file)
      if code != 0 { return BarrierReport.Failure(call: "fdatasync", code: code, file: file) }
    }
    return nil
  }

  private static func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// The outcome of one barrier.
package struct BarrierReport: Sendable, Equatable {
  package enum Form: Sendable { case fdatasync, syncfs }

  package struct Failure: Sendable, Equatable {
    package var call: String
    /// The errno.
    package var code: Int32
    package var file: Int32

    package init(call: String, code: Int32, file: Int32) {
      self.call = call
      self.code = code
      self.file = file
    }
  }

  /// This round and all before it are durable, unless there is a failure.
  package var round: UInt64
  package var form: Form
  /// The number of files that the barrier covered.
  package var files: Int
  package var nanoseconds: Int64
  package var failure: Failure?
}

/// The two calls, so that a test can hold one or make it fail. Each returns 0 or the errno.
package struct SyncCalls: Sendable {
  package var fdatasync: @Sendable (Int32) -> Int32
  package var syncfs: @Sendable (Int32) -> Int32

  package init(
    fdatasync: @escaping @Sendable (Int32) -> Int32, syncfs: @escaping @Sendable (Int32) -> Int32
  ) {
    self.fdatasync = fdatasync
    self.syncfs = syncfs
  }

  package static let kernel = SyncCalls(
    fdatasync: { Glibc.fdatasync($0) == 0 ? 0 : errno },
    syncfs: { CLinux.syncfs($0) == 0 ? 0 : errno })

  /// Syncs files and folders whole: a folder's new entries are no data that `fdatasync` must write.
  package static let fsync = SyncCalls(
    fdatasync: { Glibc.fsync($0) == 0 ? 0 : errno },
    syncfs: { CLinux.syncfs($0) == 0 ? 0 : errno })
}
