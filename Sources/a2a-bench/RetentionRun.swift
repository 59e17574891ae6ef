/// Steady cycles on one workspace, first while its file fills, then while each message is deleted
/// when it is as old as one window: as fast as they come.
struct RetentionRun {
  let options: Options
  let scratch: Scratch

  func measure(into measures: inout Measures) throws(BenchError) {
    guard options.url == nil else {
      throw .usage("retention starts a relay of its own: it needs --limit retention")
    }
    let target = try Target(
      options, scratch, limits: ["retention=\((options.window + 1) * 1000)"])
    defer { target.stop() }
    let loop = try LoadLoop()
    let inbox = try target.makeInbox()
    let meter = Meter()
    for _ in 0..<CyclesRun.callers { try loop.add(Agent(inbox, meter: meter)) }
    for _ in 0..<CyclesRun.callers {
      let request = target.request(to: inbox, blocking: true)
      try loop.add(
        Caller(target.address, meter: meter, mode: .untilAnswered, request: request))
    }
    try loop.run(seconds: Throughput.warmUpSeconds)
    let fresh = try TimedWindow(loop, meter, target, seconds: options.window)
    measures[.cyclesFresh] = fresh.perSecond
    measures[.freshCPU] = fresh.serverCPU
    measures[.freshP99] = meter.samples.milliseconds([99])[0]
    measures[.retentionFilled] = Double(try target.fileBytes(inbox)) / 1_048_576
    var later: [TimedWindow] = []
    for _ in 0..<options.windows {
      later.append(try TimedWindow(loop, meter, target, seconds: options.window))
    }
    let count = Double(later.count)
    measures[.cyclesKept] = later.map(\.perSecond).reduce(0, +) / count
    measures[.cyclesWorst] = later.map(\.perSecond).min()
    measures[.retentionCPU] = later.compactMap(\.serverCPU).reduce(0, +) / count
    measures[.retentionP99] = meter.samples.milliseconds([99])[0]
    measures[.retentionBytes] = Double(try target.fileBytes(inbox)) / 1_048_576
  }
}
