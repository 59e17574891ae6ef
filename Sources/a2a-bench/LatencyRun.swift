import System

/// Caller to agent at 100 messages a second, with one agent that is parked.
struct LatencyRun {
  static let seconds = 10

  let options: Options
  let scratch: Scratch

  func measure(into measures: inout Measures) throws(BenchError) {
    let target = try Target(options, scratch)
    defer { target.stop() }
    let inbox = try target.makeInbox()
    let loop = try LoadLoop()
    let meter = Meter()
    let stopwatch = Stopwatch()
    try loop.add(Agent(inbox, meter: meter, stopwatch: stopwatch))
    let pace = Pace(target, [inbox], loop, meter, stopwatch)
    _ = try pace.run(seconds: 1)
    let samples = try pace.run(seconds: Double(Self.seconds)).milliseconds([50, 99])
    measures[.latencyP50] = samples[0]
    measures[.latencyP99] = samples[1]
  }
}

/// One message every ten milliseconds, to the workspaces in turn.
final class Pace {
  static let interval: Int64 = nanosecondsPerSecond / 100
  static let callersMax = 16

  private let target: Target
  private let loop: LoadLoop
  private let meter: Meter
  private let stopwatch: Stopwatch
  /// More than one when an answer is slow, so that it does not hold up the next send. None is made
  /// before it is needed: the relay closes connections that stay without a request.
  private var callers: [PacedCaller] = []
  private var requests: [NumberedRequest]

  init(
    _ target: Target, _ inboxes: [Inbox], _ loop: LoadLoop, _ meter: Meter,
    _ stopwatch: Stopwatch
  ) {
    self.target = target
    self.loop = loop
    self.meter = meter
    self.stopwatch = stopwatch
    requests = inboxes.map { target.request(to: $0, blocking: false) }
  }

  /// The times from send to receipt of what is sent in these seconds.
  func run(seconds: Double) throws(BenchError) -> Samples {
    let stopwatch = stopwatch
    let before = stopwatch.samples.values.count
    let sentBefore = stopwatch.sent
    stopwatch.isMeasuring = true
    try loop.run(seconds: seconds, every: Self.interval) { () throws(BenchError) in
      try sendOne()
    }
    stopwatch.isMeasuring = false
    try loop.run(seconds: 0.2)
    var samples = Samples()
    for value in stopwatch.samples.values[before...] { samples.add(value) }
    let sent = stopwatch.sent - sentBefore
    guard samples.values.count == sent else {
      throw .failed("\(sent) messages were sent and \(samples.values.count) arrived in time")
    }
    return samples
  }

  private func sendOne() throws(BenchError) {
    let caller = try freeCaller()
    let number = meter.nextNumber()
    let index = number % requests.count
    requests[index].setNumber(number)
    stopwatch.send(number)
    try caller.begin(requests[index].bytes)
  }
  private func freeCaller() throws(BenchError) -> PacedCaller {
    if let free = callers.first(where: { !$0.isBusy }) { return free }
    guard callers.count < Self.callersMax else {
      throw .failed("\(callers.count) sends at 100/s are all unanswered")
    }
    let caller = try PacedCaller(target.address, meter: meter)
    try loop.add(caller)
    callers.append(caller)
    return caller
  }
}
