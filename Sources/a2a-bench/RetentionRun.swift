/// Steady cycles on a workspace in which each message is deleted as fast as new ones come, judged
/// against a fresh relay's in turns: a machine whose speed drifts slows both.
///
/// Time goes in rounds of two slots, each `slack` longer than its warm-up and its window. In the
/// first slot a new relay with an empty file is measured, in the second the one that keeps. A
/// message is deleted when it is `filling` rounds old to the second: what comes in one slot goes in
/// another, and never while the other relay is measured.
struct RetentionRun {
  let options: Options
  let scratch: Scratch

  /// Rounds before the first message is deleted. They show what the comparison says without.
  static let filling = 5
  /// Starting a relay and removing its files.
  static let slack = 2.0

  private var slot: Double { Throughput.warmUpSeconds + Double(options.window) + Self.slack }

  func measure(into measures: inout Measures) throws(BenchError) {
    guard options.url == nil else {
      throw .usage("retention starts relays of its own: it needs --limit retention")
    }
    let age = Int(2 * slot * Double(Self.filling) * 1000)
    let keeping = try Steady(options, scratch, limits: ["retention=\(age)"])
    defer { keeping.target.stop() }
    let start = ticks()
    let filling = try rounds(0..<Self.filling, keeping, since: start)
    measures[.retentionFilled] = Double(try keeping.fileBytes()) / 1_048_576
    let later = try rounds(Self.filling..<Self.filling + options.windows, keeping, since: start)
    measures[.retentionBytes] = Double(try keeping.fileBytes()) / 1_048_576
    measures[.fillingRatio] = median(filling.map(\.rate))
    measures[.retentionRatio] = median(later.map(\.rate))
    measures[.retentionLowRatio] = quartile(later.map(\.rate))
    measures[.retentionCPURatio] = median(later.map(\.cpu))
    measures[.cyclesFresh] = median(later.map(\.fresh.perSecond))
    measures[.cyclesKept] = median(later.map(\.keeping.perSecond))
    measures[.freshCPU] = median(later.compactMap(\.fresh.serverCPU))
    measures[.retentionCPU] = median(later.compactMap(\.keeping.serverCPU))
    measures[.freshP99] = median(later.map(\.fresh.p99))
    measures[.retentionP99] = median(later.map(\.keeping.p99))
    measures[.retentionIdle] = median(later.map(\.idle))
  }

  /// What one round gives.
  private struct Round {
    var fresh: TimedWindow
    var keeping: TimedWindow
    /// CPU of the relay that keeps while the other one is measured, in per cent of its own window's.
    var idle: Double

    var rate: Double { keeping.perSecond / fresh.perSecond }
    var cpu: Double { (keeping.serverCPU ?? 0) / (fresh.serverCPU ?? 0) }
  }

  private func rounds(
    _ numbers: Range<Int>, _ keeping: Steady, since start: Int64
  ) throws(BenchError) -> [Round] {
    var rounds: [Round] = []
    for number in numbers {
      let begin = start + Int64(2 * slot * Double(number) * 1e9)
      let other = try Steady(options, scratch)
      let cpu = keeping.cpu
      let fresh = try other.window()
      let idle = Double(keeping.cpu - cpu)
      other.target.stop()
      try waitUntil(begin + Int64(slot * 1e9))
      let kept = try keeping.window()
      let own = (kept.serverCPU ?? 0) * kept.perSecond * Double(options.window) * 1e3
      rounds.append(Round(fresh: fresh, keeping: kept, idle: idle / own * 100))
      try waitUntil(begin + Int64(2 * slot * 1e9))
    }
    return rounds
  }

  private func waitUntil(_ time: Int64) throws(BenchError) {
    guard ticks() <= time else {
      throw .failed("a relay took more than \(Self.slack) s to start and to stop")
    }
    while ticks() < time {
      try Interrupt.check()
      sleep(until: min(time, ticks() + nanosecondsPerSecond / 10))
    }
  }
}

/// One relay, one workspace, callers that wait and agents that answer.
private struct Steady {
  let target: Target
  private let loop: LoadLoop
  private let meter = Meter()
  private let inbox: Inbox
  private let seconds: Int

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
  }

  var cpu: Int64 { target.process?.cpu() ?? 0 }

  func fileBytes() throws(BenchError) -> Int64 { try target.fileBytes(inbox) }

  /// Takes up the load where it stopped: what is under way rests in the sockets in between.
  func window() throws(BenchError) -> TimedWindow {
    try loop.run(seconds: Throughput.warmUpSeconds)
    return try TimedWindow(loop, meter, target, seconds: seconds)
  }
}
