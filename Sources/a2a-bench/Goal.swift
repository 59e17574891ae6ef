/// One line of the report: a figure, what it is held against, and the bound it should keep.
struct Goal {
  enum Bound {
    case atLeast(Double, aim: Double? = nil)
    case atMost(Double, aim: Double? = nil)
    /// Shown only.
    case none
  }

  var title: String
  var key: Measures.Key
  var unit: String
  var digits = 0
  /// What is compared with the bound; by default the figure itself.
  var compared: Compared = .itself
  var bound: Bound = .none

  enum Compared {
    case itself
    /// The figure divided by another of the same run.
    case ratio(Measures.Key, to: String)
    /// The figure minus another of the same run.
    case excess(Measures.Key, over: String)
  }

  /// What is held against the bound; `nil` when the run lacks one of the figures.
  func comparison(_ run: Measures) -> Double? {
    guard let value = run[key] else { return nil }
    switch compared {
    case .itself: return value
    case .ratio(let other, _): return run[other].map { value / $0 }
    case .excess(let other, _): return run[other].map { value - $0 }
    }
  }

  func isMet(_ comparison: Double) -> Bool? {
    switch bound {
    case .atLeast(let bound, _): comparison >= bound
    case .atMost(let bound, _): comparison <= bound
    case .none: nil
    }
  }
}

extension Goal {
  static let all: [Goal] =
    machine + disk + sends + cycles + latency + parked + backlog + retention

  private static let disk = [
    Goal(title: "fdatasync, back to back, p50", key: .syncP50, unit: "ms", digits: 3),
    Goal(title: "fdatasync, back to back, p99", key: .syncP99, unit: "ms", digits: 3),
    Goal(title: "fdatasync, back to back", key: .syncRate, unit: "/s"),
    Goal(title: "fdatasync, 100/s, p50", key: .pacedP50, unit: "ms", digits: 3),
    Goal(title: "fdatasync, 100/s, p99", key: .pacedP99, unit: "ms", digits: 3),
    Goal(title: "R: 64 messages per FULL commit", key: .reference, unit: "/s"),
    Goal(title: "64 files, 1 message per FULL commit", key: .spreadReference, unit: "/s"),
  ]

  private static let machine = [
    Goal(title: "CPU of everything else, of one core", key: .othersCPU, unit: "%")
  ]

  private static let sends = [
    Goal(
      title: "sends, 1 connection", key: .sendsOne, unit: "/s",
      compared: .ratio(.syncRate, to: "fdatasync rate"), bound: .atLeast(0.60)),
    Goal(
      title: "sends, 64 connections", key: .sendsMany, unit: "/s",
      compared: .ratio(.reference, to: "R"), bound: .atLeast(0.40, aim: 0.50)),
    Goal(
      title: "sends, 64 connections, p99", key: .sendsManyP99, unit: "ms", digits: 2,
      bound: .atMost(10, aim: 4)),
    Goal(title: "sends, 64 connections, p50", key: .sendsManyP50, unit: "ms", digits: 2),
    Goal(title: "sends, 64: server CPU each", key: .sendsManyCPU, unit: "us", digits: 1),
    Goal(title: "sends, 64: load generator CPU each", key: .clientCPU, unit: "us", digits: 1),
    Goal(
      title: "sends, 256 connections", key: .sendsMost, unit: "/s",
      compared: .ratio(.reference, to: "R"), bound: .atLeast(0.50)),
    Goal(title: "sends, 256 connections, p99", key: .sendsMostP99, unit: "ms", digits: 2),
    Goal(
      title: "sends over 64 workspaces, 64 conn.", key: .sendsSpread, unit: "/s",
      compared: .ratio(.spreadReference, to: "64 files"), bound: .atLeast(3)),
    Goal(
      title: "sends over 64 workspaces, 256 conn.", key: .sendsSpreadMost, unit: "/s",
      compared: .ratio(.spreadReference, to: "64 files")),
    Goal(
      title: "sends, --connections, --workspaces", key: .sendsChosen, unit: "/s",
      compared: .ratio(.reference, to: "R")),
    Goal(title: "the same: server CPU each", key: .sendsChosenCPU, unit: "us", digits: 1),
    Goal(title: "the same: server memory", key: .sendsChosenMemory, unit: "MiB"),
  ]

  private static let cycles = [
    Goal(
      title: "cycles, 64 + 64, one per poll", key: .cycles, unit: "/s",
      compared: .ratio(.reference, to: "R"), bound: .atLeast(0.15, aim: 0.20)),
    Goal(title: "cycles, 64 + 64, p50", key: .cyclesP50, unit: "ms", digits: 2),
    Goal(title: "cycles, 64 + 64, p99", key: .cyclesP99, unit: "ms", digits: 2),
    Goal(
      title: "cycles, 64 + 64: server CPU each", key: .cyclesCPU, unit: "us", digits: 1,
      bound: .atMost(60)),
    Goal(
      title: "cycles, 64 + 16, max=16, batch", key: .cyclesBatch, unit: "/s",
      compared: .ratio(.reference, to: "R"), bound: .atLeast(0.22)),
    Goal(title: "cycles, 64 + 16 batch, p50", key: .cyclesBatchP50, unit: "ms", digits: 2),
    Goal(
      title: "cycles, 64 + 16 batch: server CPU each", key: .cyclesBatchCPU, unit: "us",
      digits: 1),
  ]

  private static let latency = [
    Goal(
      title: "caller to agent at 100/s, p50", key: .latencyP50, unit: "ms", digits: 3,
      compared: .excess(.pacedP50, over: "paced p50"), bound: .atMost(0.50)),
    Goal(
      title: "caller to agent at 100/s, p99", key: .latencyP99, unit: "ms", digits: 3,
      compared: .excess(.pacedP99, over: "paced p99"), bound: .atMost(5)),
  ]

  private static let retention = [
    Goal(title: "cycles on a fresh file", key: .cyclesFresh, unit: "/s"),
    Goal(title: "cycles while as many are deleted", key: .cyclesKept, unit: "/s"),
    Goal(
      title: "to fresh in the same seconds, median", key: .retentionRatio, unit: "x", digits: 3,
      bound: .atLeast(0.9)),
    Goal(
      title: "the same, in the last quarter of the run", key: .retentionLastRatio, unit: "x",
      digits: 3, bound: .atLeast(0.9)),
    Goal(title: "the same, lower quartile", key: .retentionLowRatio, unit: "x", digits: 3),
    Goal(
      title: "deleted for each cycle in these windows", key: .retentionDeleted, unit: "",
      digits: 3, bound: .atLeast(0.95)),
    Goal(title: "while it fills, to fresh, median", key: .fillingRatio, unit: "x", digits: 3),
    Goal(title: "cycles on a fresh file, p99", key: .freshP99, unit: "ms", digits: 2),
    Goal(title: "cycles while as many are deleted, p99", key: .retentionP99, unit: "ms", digits: 2),
    Goal(title: "on a fresh file: server CPU each", key: .freshCPU, unit: "us", digits: 1),
    Goal(
      title: "while as many are deleted: server CPU", key: .retentionCPU, unit: "us", digits: 1),
    Goal(title: "while it fills, server CPU to fresh", key: .fillingCPURatio, unit: "x", digits: 3),
    Goal(
      title: "server CPU to fresh, median", key: .retentionCPURatio, unit: "x", digits: 3,
      bound: .atMost(1.11)),
    Goal(title: "load generator, of one core", key: .retentionClientCPU, unit: "%"),
    Goal(title: "the file when the first are deleted", key: .retentionFilled, unit: "MiB"),
    Goal(
      title: "the file at the end", key: .retentionBytes, unit: "MiB",
      compared: .ratio(.retentionFilled, to: "filled"), bound: .atMost(1.5)),
  ]

  private static let parked = [
    Goal(
      title: "parked poll, resident memory", key: .parkedBytes, unit: "B",
      bound: .atMost(4096)),
    Goal(title: "wake-up of one alone, p50", key: .wakeAlone, unit: "ms", digits: 3),
    Goal(
      title: "wake-up among the parked, p50", key: .wakeAmong, unit: "ms", digits: 3,
      compared: .ratio(.wakeAlone, to: "alone"), bound: .atMost(1.2)),
    Goal(
      title: "the same, in the lone poll's workspace", key: .wakeSame, unit: "ms", digits: 3,
      compared: .ratio(.wakeAlone, to: "alone")),
    Goal(
      title: "CPU per idle second", key: .idleCPU, unit: "ms", digits: 2, bound: .atMost(1)),
  ]

  private static let backlog = [
    Goal(title: "send, take, answer; 1,000 wait", key: .backlogShort, unit: "/s"),
    Goal(title: "the same: server CPU each", key: .backlogShortCPU, unit: "us", digits: 1),
    Goal(title: "and 10,000 in flight", key: .backlogInFlight, unit: "/s"),
    Goal(
      title: "the same: server CPU each", key: .backlogInFlightCPU, unit: "us", digits: 1,
      compared: .ratio(.backlogShortCPU, to: "1,000 wait"), bound: .atMost(1.2)),
    Goal(title: "the same, --backlog wait", key: .backlogLong, unit: "/s"),
    Goal(
      title: "the same: server CPU each", key: .backlogLongCPU, unit: "us", digits: 1,
      compared: .ratio(.backlogShortCPU, to: "1,000 wait"), bound: .atMost(1.2)),
    Goal(title: "memory of one that waits", key: .backlogBytes, unit: "B"),
  ]
}
