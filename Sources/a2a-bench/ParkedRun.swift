import System

/// Thousands of polls that wait: what one costs in memory, and what they cost while nothing
/// happens.
struct ParkedRun {
  /// Less than the relay's 1,024 polls per workspace.
  static let pollsPerWorkspace = 1_000
  static let wakeSeconds = 5.0
  static let idleSeconds = 10.0

  let options: Options
  let scratch: Scratch

  func measure(into measures: inout Measures) throws(BenchError) {
    let limit = try attempt("descriptors") { try DescriptorLimit.raise() }
    guard limit > options.parked + 100 else {
      throw .failed("\(options.parked) parked polls need more than \(limit) descriptors")
    }
    let target = try Target(options, scratch)
    defer { target.stop() }
    let workspaces = (options.parked - 1) / Self.pollsPerWorkspace + 1
    let inboxes = try target.makeInboxes(workspaces)
    let loop = try LoadLoop()
    let meter = Meter()
    let stopwatch = Stopwatch()

    try loop.add(Agent(inboxes[0], meter: meter, wait: 55, stopwatch: stopwatch))
    let alone = Pace(target, [inboxes[0]], loop, meter, stopwatch)
    _ = try alone.run(seconds: 1)
    measures[.wakeAlone] = try alone.run(seconds: Self.wakeSeconds).milliseconds([50])[0]

    let before = target.process?.residentBytes()
    for index in 1..<max(2, options.parked) {
      let inbox = inboxes[index / Self.pollsPerWorkspace]
      try loop.add(Agent(inbox, meter: meter, wait: 55, stopwatch: stopwatch))
    }
    try loop.run(seconds: 2)
    if let process = target.process, let before {
      let bytes = process.residentBytes() - before
      measures[.parkedBytes] = Double(bytes) / Double(options.parked - 1)
    }
    let among = Pace(target, inboxes, loop, meter, stopwatch)
    _ = try among.run(seconds: 1)
    measures[.wakeAmong] = try among.run(seconds: Self.wakeSeconds).milliseconds([50])[0]
    // Tells the cost of the parked polls from that of so many files.
    measures[.wakeSame] = try alone.run(seconds: Self.wakeSeconds).milliseconds([50])[0]

    guard let process = target.process else { return }
    // Until what the wake-ups left behind is written.
    try loop.run(seconds: 2)
    let start = process.cpu()
    try loop.run(seconds: Self.idleSeconds)
    measures[.idleCPU] = Double(process.cpu() - start) / 1e6 / Self.idleSeconds
  }
}
