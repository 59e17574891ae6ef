/// Steady cycles on a workspace in which messages are deleted as fast as new ones come, judged
/// against a fresh relay with an empty file.
///
/// Both run side by side, under the same load and at the same time: a machine whose speed changes
/// from one second to the next, by more than what is measured, slows both.
struct RetentionRun {
  let options: Options
  let scratch: Scratch

  /// Windows before the first message is deleted. They show what the comparison says without.
  static let filling = 6
  /// A relay is fresh for so many windows.
  static let fresh = 2

  func measure(into measures: inout Measures) throws(BenchError) {
    guard options.url == nil else {
      throw .usage("retention starts relays of its own: it needs --limit retention")
    }
    let loop = try LoadLoop()
    // With the warm-ups, and the starting of relays.
    let age = Self.filling * (options.window + 2)
    let start = ticks()
    let keeping = try Side(options, scratch, loop, limits: ["retention=\(age * 1000)"])
    defer { keeping.target.stop() }
    let filling = try pairs(Self.filling, keeping, loop)
    let rest = Double(age) - Double(ticks() - start) / 1e9
    guard rest > 0 else { throw .failed("starting the relays took more than 2 s for each window") }
    try loop.run(seconds: rest)
    measures[.retentionFilled] = try keeping.fileMebibytes()
    let later = try pairs(options.windows, keeping, loop)
    measures[.retentionBytes] = try keeping.fileMebibytes()
    measures[.fillingRatio] = median(filling.map(\.rate))
    measures[.fillingCPURatio] = median(filling.compactMap(\.cpu))
    let last = later.suffix(max(1, later.count / 4))
    measures[.retentionLastRatio] = median(last.map(\.rate))
    let completed = later.map(\.keeping.perSecond).reduce(0, +) * Double(options.window)
    measures[.retentionDeleted] = later.map(\.deleted).reduce(0, +) / completed
    measures[.retentionClientCPU] = median(later.map(\.client))
    measures[.retentionRatio] = median(later.map(\.rate))
    measures[.retentionLowRatio] = lowerQuartile(later.map(\.rate))
    measures[.retentionCPURatio] = median(later.compactMap(\.cpu))
    measures[.cyclesFresh] = median(later.map(\.fresh.perSecond))
    measures[.cyclesKept] = median(later.map(\.keeping.perSecond))
    measures[.freshCPU] = median(later.compactMap(\.fresh.serverCPU))
    measures[.retentionCPU] = median(later.compactMap(\.keeping.serverCPU))
    measures[.freshP99] = median(later.map(\.fresh.p99))
    measures[.retentionP99] = median(later.map(\.keeping.p99))
  }

  /// What the two did in the same seconds.
  private struct Pair {
    var fresh: TimedWindow
    var keeping: TimedWindow
    /// Messages that the keeping one deleted.
    var deleted: Double
    /// Of the load generator, in per cent of one core.
    var client: Double

    var rate: Double { keeping.perSecond / fresh.perSecond }
    var cpu: Double? {
      guard let own = keeping.serverCPU, let other = fresh.serverCPU else { return nil }
      return own / other
    }
  }

  private func pairs(
    _ count: Int, _ keeping: Side, _ loop: LoadLoop
  ) throws(BenchError) -> [Pair] {
    var pairs: [Pair] = []
    while pairs.count < count {
      let fresh = try Side(options, scratch, loop)
      defer { fresh.target.stop() }
      try loop.run(seconds: Throughput.warmUpSeconds)
      for _ in 0..<min(Self.fresh, count - pairs.count) {
        let sides = [fresh, keeping].map { ($0.meter, $0.target) }
        let before = try keeping.deleted()
        let cpu = cpuTime(of: "self")
        let windows = try TimedWindow.sideBySide(loop, sides, seconds: options.window)
        let client = Double(cpuTime(of: "self") - cpu) / 1e7 / Double(options.window)
        let deleted = try keeping.deleted() - before
        pairs.append(
          Pair(fresh: windows[0], keeping: windows[1], deleted: deleted, client: client))
      }
      loop.removeLast(Side.clients)
    }
    return pairs
  }
}

/// One relay, one workspace, callers that wait and agents that answer.
private struct Side {
  static let clients = 2 * CyclesRun.callers

  let target: Target
  let meter = Meter()
  private let inbox: Inbox

  init(
    _ options: Options, _ scratch: Scratch, _ loop: LoadLoop, limits: [String] = []
  ) throws(BenchError) {
    target = try Target(options, scratch, limits: limits)
    inbox = try target.makeInbox()
    for _ in 0..<CyclesRun.callers { try loop.add(Agent(inbox, meter: meter)) }
    for _ in 0..<CyclesRun.callers {
      let request = target.request(to: inbox, blocking: true)
      try loop.add(
        Caller(target.address, meter: meter, mode: .untilAnswered, requests: [request]))
    }
  }

  func deleted() throws(BenchError) -> Double {
    try target.metric("a2a_relay_messages_retired_total")
  }

  func fileMebibytes() throws(BenchError) -> Double {
    Double(try target.fileBytes(inbox)) / 1_048_576
  }
}
