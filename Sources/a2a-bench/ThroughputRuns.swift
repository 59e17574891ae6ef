/// Non-blocking sends that nobody polls for.
struct SendsRun {
  let options: Options
  let scratch: Scratch

  /// What one number of connections gives.
  struct Outcome {
    var perSecond: Double
    var milliseconds: [Double]
    var serverCPU: Double?
    var clientCPU: Double
    /// Resident memory at the end.
    var serverMebibytes: Double?
  }

  func measure(into measures: inout Measures) throws(BenchError) {
    if options.connections != nil || options.workspaces != nil {
      let chosen = try run(
        connections: options.connections ?? 64, workspaces: options.workspaces ?? 1)
      measures[.sendsChosen] = chosen.perSecond
      measures[.sendsChosenCPU] = chosen.serverCPU
      measures[.sendsChosenMemory] = chosen.serverMebibytes
      return
    }
    measures[.sendsOne] = try run(connections: 1).perSecond
    let many = try run(connections: 64)
    measures[.sendsMany] = many.perSecond
    measures[.sendsManyP50] = many.milliseconds[0]
    measures[.sendsManyP99] = many.milliseconds[1]
    measures[.sendsManyCPU] = many.serverCPU
    measures[.clientCPU] = many.clientCPU
    let most = try run(connections: 256)
    measures[.sendsMost] = most.perSecond
    measures[.sendsMostP99] = most.milliseconds[1]
    let spread = ReferenceRun.files
    measures[.sendsSpread] = try run(connections: 64, workspaces: spread).perSecond
    measures[.sendsSpreadMost] = try run(connections: 256, workspaces: spread).perSecond
  }

  func run(connections: Int, workspaces: Int = 1) throws(BenchError) -> Outcome {
    try Throughput(options, scratch).measure { (target, loop, meter) throws(BenchError) in
      let inboxes = try target.makeInboxes(workspaces)
      for index in 0..<connections {
        // With more workspaces than connections each goes round its share of them.
        let share = stride(from: index % workspaces, to: workspaces, by: connections)
        let requests = share.map { target.request(to: inboxes[$0], blocking: false) }
        try loop.add(
          Caller(target.address, meter: meter, mode: .immediate, requests: requests))
      }
    }
  }
}

/// Send, poll, result, answer: 64 callers that wait, and agents that work.
struct CyclesRun {
  let options: Options
  let scratch: Scratch
  static let callers = 64

  func measure(into measures: inout Measures) throws(BenchError) {
    let single = try run { (inbox, meter) throws(BenchError) in
      var agents: [Client] = []
      for _ in 0..<64 { agents.append(try Agent(inbox, meter: meter)) }
      return agents
    }
    measures[.cycles] = single.perSecond
    measures[.cyclesP50] = single.milliseconds[0]
    measures[.cyclesP99] = single.milliseconds[1]
    measures[.cyclesCPU] = single.serverCPU
    let batch = try run { (inbox, meter) throws(BenchError) in
      var agents: [Client] = []
      for _ in 0..<16 { agents.append(try BatchAgent(inbox, meter: meter)) }
      return agents
    }
    measures[.cyclesBatch] = batch.perSecond
    measures[.cyclesBatchP50] = batch.milliseconds[0]
    measures[.cyclesBatchCPU] = batch.serverCPU
  }

  private func run(
    agents: (Inbox, Meter) throws(BenchError) -> [Client]
  ) throws(BenchError) -> SendsRun.Outcome {
    try Throughput(options, scratch).measure { (target, loop, meter) throws(BenchError) in
      let inbox = try target.makeInbox()
      for agent in try agents(inbox, meter) { try loop.add(agent) }
      for _ in 0..<Self.callers {
        let request = target.request(to: inbox, blocking: true)
        try loop.add(
          Caller(target.address, meter: meter, mode: .untilAnswered, requests: [request]))
      }
    }
  }
}

/// The frame of both: a fresh relay, clients, a warm-up, and the time that counts.
struct Throughput {
  static let warmUpSeconds = 1.0

  private let options: Options
  private let scratch: Scratch

  init(_ options: Options, _ scratch: Scratch) {
    self.options = options
    self.scratch = scratch
  }

  func measure(
    clients: (Target, LoadLoop, Meter) throws(BenchError) -> Void
  ) throws(BenchError) -> SendsRun.Outcome {
    let target = try Target(options, scratch)
    defer { target.stop() }
    let loop = try LoadLoop()
    let meter = Meter()
    try clients(target, loop, meter)
    try loop.run(seconds: Self.warmUpSeconds)
    let clientStart = cpuTime(of: "self")
    let window = try TimedWindow(loop, meter, target, seconds: options.seconds)
    let client = Double(cpuTime(of: "self") - clientStart) / 1e3 / Double(meter.completed)
    return SendsRun.Outcome(
      perSecond: window.perSecond, milliseconds: meter.samples.milliseconds([50, 99]),
      serverCPU: window.serverCPU, clientCPU: client,
      serverMebibytes: target.process.map { Double($0.residentBytes()) / 1_048_576 })
  }
}

/// What was completed in so many seconds. The meter's samples are of this window alone.
struct TimedWindow {
  var perSecond: Double
  /// The server's CPU time in microseconds for each operation; `nil` if the benchmark did not start
  /// the relay.
  var serverCPU: Double?
  /// Milliseconds.
  var p99: Double
}

extension TimedWindow {
  init(
    _ loop: LoadLoop, _ meter: Meter, _ target: Target, seconds: Int
  ) throws(BenchError) {
    self = try Self.sideBySide(loop, [(meter, target)], seconds: seconds)[0]
  }

  /// What each relay completed in the same seconds.
  static func sideBySide(
    _ loop: LoadLoop, _ sides: [(meter: Meter, target: Target)], seconds: Int
  ) throws(BenchError) -> [TimedWindow] {
    let cpu = sides.map { $0.target.process?.cpu() }
    let start = ticks()
    for side in sides {
      side.meter.restart()
      side.meter.isMeasuring = true
    }
    try loop.run(seconds: Double(seconds))
    for side in sides { side.meter.isMeasuring = false }
    let elapsed = Double(ticks() - start) / 1e9
    var windows: [TimedWindow] = []
    for (side, before) in zip(sides, cpu) {
      let count = Double(side.meter.completed)
      guard count > 0 else { throw .failed("nothing was answered in \(seconds) s") }
      let used = before.flatMap { before in side.target.process.map { $0.cpu() - before } }
      windows.append(
        TimedWindow(
          perSecond: count / elapsed, serverCPU: used.map { Double($0) / 1e3 / count },
          p99: side.meter.samples.milliseconds([99])[0]))
    }
    return windows
  }
}
