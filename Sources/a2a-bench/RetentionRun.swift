/// Steady cycles on a workspace in which messages are deleted as fast as new ones come, judged
/// against a fresh relay with an empty file.
///
/// Both run in turns, a window each, and each is stopped (SIGSTOP) while the other one is measured:
/// a machine whose speed drifts slows both, and nothing is deleted behind the back of the windows.
struct RetentionRun {
  let options: Options
  let scratch: Scratch

  /// Seconds of load before the first message is deleted. They show what the comparison says
  /// without deletions.
  static let fillingSeconds = 30
  /// A relay is fresh for so many seconds of load.
  static let freshSeconds = 10

  func measure(into measures: inout Measures) throws(BenchError) {
    guard options.url == nil else {
      throw .usage("retention starts relays of its own: it needs --limit retention")
    }
    let count = max(1, Self.fillingSeconds / options.window)
    // Both take turns, so that a message is about twice as old as the load that followed it.
    let age = 2 * count * options.window
    let keeping = try Steady(options, scratch, limits: ["retention=\(age * 1000)"])
    defer { keeping.target.stop() }
    let filling = try rounds(count, keeping)
    measures[.retentionFilled] = Double(try keeping.fileBytes()) / 1_048_576
    let later = try rounds(options.windows, keeping)
    measures[.retentionBytes] = Double(try keeping.fileBytes()) / 1_048_576
    measures[.fillingRatio] = median(filling.map(\.rate))
    measures[.fillingCPURatio] = median(filling.map(\.cpu))
    measures[.retentionRatio] = median(later.map(\.rate))
    measures[.retentionLowRatio] = quartile(later.map(\.rate))
    measures[.retentionCPURatio] = median(later.map(\.cpu))
    measures[.cyclesFresh] = median(later.map(\.fresh.perSecond))
    measures[.cyclesKept] = median(later.map(\.keeping.perSecond))
    measures[.freshCPU] = median(later.compactMap(\.fresh.serverCPU))
    measures[.retentionCPU] = median(later.compactMap(\.keeping.serverCPU))
    measures[.freshP99] = median(later.map(\.fresh.p99))
    measures[.retentionP99] = median(later.map(\.keeping.p99))
  }

  /// What one round gives.
  private struct Round {
    var fresh: TimedWindow
    var keeping: TimedWindow

    var rate: Double { keeping.perSecond / fresh.perSecond }
    var cpu: Double { (keeping.serverCPU ?? 0) / (fresh.serverCPU ?? 0) }
  }

  private func rounds(_ count: Int, _ keeping: Steady) throws(BenchError) -> [Round] {
    var rounds: [Round] = []
    while rounds.count < count {
      let fresh = try Steady(options, scratch)
      defer { fresh.target.stop() }
      for _ in 0..<max(1, Self.freshSeconds / options.window) where rounds.count < count {
        rounds.append(Round(fresh: try fresh.window(), keeping: try keeping.window()))
      }
    }
    return rounds
  }
}

/// One relay, one workspace, callers that wait and agents that answer.
private struct Steady {
  let target: Target
  private let loop: LoadLoop
  private let meter = Meter()
  private let inbox: Inbox
  private let seconds: Int

  /// It is warm, and stopped.
  init(_ options: Options, _ scratch: Scratch, limits: [String] = []) throws(BenchError) {
    target = try Target(options, scratch, limits: limits)
    loop = try LoadLoop()
    inbox = try target.makeInbox()
    seconds = options.window
    for _ in 0..<CyclesRun.callers { try loop.add(Agent(inbox, meter: meter)) }
    for _ in 0..<CyclesRun.callers {
      let request = target.request(to: inbox, blocking: true)
      try loop.add(
        Caller(target.address, meter: meter, mode: .untilAnswered, request: request))
    }
    try loop.run(seconds: Throughput.warmUpSeconds)
    target.process?.freeze()
  }

  func fileBytes() throws(BenchError) -> Int64 { try target.fileBytes(inbox) }

  /// Takes up the load where it stopped: what is under way rests in the sockets in between. All of
  /// the time counts: what came due during the stop is deleted at its beginning.
  func window() throws(BenchError) -> TimedWindow {
    target.process?.thaw()
    defer { target.process?.freeze() }
    return try TimedWindow(loop, meter, target, seconds: seconds)
  }
}
