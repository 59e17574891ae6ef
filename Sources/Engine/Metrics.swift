package import Relay

/// Counters of events since the start. Only the loop uses them. Levels (depths, open files) are
/// computed when somebody asks for them.
package final class Metrics {
  /// The form of a barrier: two forms run on the barrier's thread, a lone sync runs on the loop.
  package enum BarrierForm: Int, CaseIterable, Sendable { case fdatasync, syncfs, loop }

  package struct Disk: Sendable {
    package var free: Int64
    package var highWater: Int64
    package var isReserveHeld: Bool
  }

  /// The last barrier that passed, and the last barrier of all.
  package struct LastBarrier: Sendable {
    package var form: BarrierForm
    package var nanoseconds: Int64
    package var isOK: Bool
    package var okAt: Instant?
  }

  /// Durations of barriers, by `BarrierForm`.
  package private(set) var barriers = BarrierForm.allCases.map { _ in
    Histogram(bounds: Histogram.times)
  }
  package private(set) var lastBarrier: LastBarrier?
  package private(set) var barrierErrors = 0
  /// Sizes of commit rounds, in operations.
  package internal(set) var rounds = Histogram(bounds: Histogram.amounts)
  package internal(set) var commits = 0
  package internal(set) var commitsRefused = 0
  /// The number of messages that retention has deleted.
  package internal(set) var retiredByAge = 0
  package internal(set) var retiredBySize = 0
  package internal(set) var checkpoints = Histogram(bounds: Histogram.times)
  package internal(set) var checkpointErrors = 0
  package internal(set) var registryWrites = 0
  package internal(set) var sends = 0
  package internal(set) var attaches = 0
  package private(set) var handOuts = 0
  package private(set) var redeliveries = 0
  package private(set) var results = 0
  package private(set) var resultsLate = 0
  /// The number of ended messages, by the raw value of `EndReason`.
  private var ends = Array(repeating: 0, count: EndReason.allCases.count + 1)
  private var refusals: [RelayError: Int]
  /// The state of the disk, refreshed once a second.
  package internal(set) var disk: Disk?
  /// The number of jumps of the wall clock that were noticed.
  package var clockJumps = 0

  package init() {
    refusals = Dictionary(uniqueKeysWithValues: RelayError.allCases.map { ($0, 0) })
  }

  package func barrier(
    _ form: BarrierForm, nanoseconds: Int64, isOK: Bool, now: Instant
  ) {
    barriers[form.rawValue].add(nanoseconds)
    if !isOK { barrierErrors += 1 }
    lastBarrier = LastBarrier(
      form: form, nanoseconds: nanoseconds, isOK: isOK,
      okAt: isOK ? now : lastBarrier?.okAt)
  }

  package func refused(_ error: RelayError) { refusals[error, default: 0] += 1 }

  package func refusals(_ error: RelayError) -> Int { refusals[error] ?? 0 }

  func ended(_ reason: EndReason) { ends[Int(reason.rawValue)] += 1 }

  package func ends(_ reason: EndReason) -> Int { ends[Int(reason.rawValue)] }

  func handedOut(_ entries: [HandOut]) {
    handOuts += entries.count
    for entry in entries where entry.isRedelivered { redeliveries += 1 }
  }

  func answered(_ reply: AgentReply) {
    guard case .accepted(let isLate) = reply else { return }
    results += 1
    if isLate { resultsLate += 1 }
  }
}
