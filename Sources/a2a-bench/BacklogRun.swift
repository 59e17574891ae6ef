import System

/// What it costs to hand out and answer one message, by how much else is in the queue: nothing of
/// it should depend on that.
struct BacklogRun {
  static let workers = 32
  /// Messages that wait in the short queue; the long one has `Options.backlog`.
  static let short = 1_000
  static let inFlight = 10_000

  let options: Options
  let scratch: Scratch

  func measure(into measures: inout Measures) throws(BenchError) {
    let short = try run(backlog: Self.short, inFlight: 0)
    measures[.backlogShortCPU] = short.window.serverCPU
    measures[.backlogShort] = short.window.perSecond
    let busy = try run(backlog: Self.short, inFlight: Self.inFlight)
    measures[.backlogInFlightCPU] = busy.window.serverCPU
    measures[.backlogInFlight] = busy.window.perSecond
    let long = try run(backlog: options.backlog, inFlight: 0)
    measures[.backlogLongCPU] = long.window.serverCPU
    measures[.backlogLong] = long.window.perSecond
    measures[.backlogBytes] = long.residentBytes.map { $0 / Double(options.backlog) }
  }

  private func run(
    backlog: Int, inFlight: Int
  ) throws(BenchError) -> (window: TimedWindow, residentBytes: Double?) {
    let target = try Target(options, scratch)
    defer { target.stop() }
    let inbox = try target.makeInbox()
    let meter = Meter()
    try fill(target, inbox, meter, count: backlog + inFlight)
    if inFlight > 0 { try take(inbox, meter, count: inFlight) }
    let loop = try LoadLoop()
    for _ in 0..<Self.workers {
      let request = target.request(to: inbox, blocking: false)
      try loop.add(Worker(inbox, meter: meter, request: request))
    }
    try loop.run(seconds: Throughput.warmUpSeconds)
    let window = try TimedWindow(loop, meter, target, seconds: options.seconds)
    return (window, target.process.map { Double($0.residentBytes()) })
  }

  /// Sends `count` messages that nobody takes.
  private func fill(
    _ target: Target, _ inbox: Inbox, _ meter: Meter, count: Int
  ) throws(BenchError) {
    let loop = try LoadLoop()
    let goal = Countdown(count)
    for _ in 0..<64 {
      let request = target.request(to: inbox, blocking: false)
      try loop.add(Filler(target.address, meter: meter, request: request, goal: goal))
    }
    while goal.open > 0 { try loop.run(seconds: 0.05) }
  }

  /// Takes `count` of them, for an hour, and answers none.
  private func take(_ inbox: Inbox, _ meter: Meter, count: Int) throws(BenchError) {
    let loop = try LoadLoop()
    let goal = Countdown(count)
    for _ in 0..<8 { try loop.add(Taker(inbox, meter: meter, goal: goal)) }
    while goal.open > 0 { try loop.run(seconds: 0.05) }
  }
}

/// How many are still to be begun, and to be answered.
final class Countdown {
  private var unbegun: Int
  private(set) var open: Int

  init(_ count: Int) {
    unbegun = count
    open = count
  }

  /// Up to `count` more may be begun.
  func begin(_ count: Int = 1) -> Int {
    let taken = min(count, unbegun)
    unbegun -= taken
    return taken
  }

  func end(_ count: Int = 1) { open -= count }

  /// What was begun came to less.
  func giveBack(_ count: Int) { unbegun += count }
}

/// Sends until the goal is reached.
private final class Filler: Client {
  private var request: NumberedRequest
  private let goal: Countdown
  private static let result = Array(#""result":"#.utf8)

  init(
    _ address: SocketAddress, meter: Meter, request: NumberedRequest, goal: Countdown
  ) throws(BenchError) {
    self.request = request
    self.goal = goal
    try super.init(address, meter: meter)
  }

  override func start() throws(BenchError) {
    guard goal.begin() == 1 else { return }
    request.setNumber(meter.nextNumber())
    try send(request.bytes)
  }

  override func answered(status: Int, body: borrowing Span<UInt8>) throws(BenchError) {
    guard status == 200, body.find(Self.result) != nil else {
      throw unexpected("a send", status, body)
    }
    goal.end()
    try start()
  }
}

/// Takes messages and keeps them.
private final class Taker: Client {
  private let inbox: Inbox
  private let goal: Countdown
  private var asked = 0

  init(_ inbox: Inbox, meter: Meter, goal: Countdown) throws(BenchError) {
    self.inbox = inbox
    self.goal = goal
    try super.init(inbox.address, meter: meter)
  }

  override func start() throws(BenchError) {
    asked = goal.begin(100)
    guard asked > 0 else { return }
    try send(inbox.poll(wait: 25, max: asked, lease: 3600))
  }

  override func answered(status: Int, body: borrowing Span<UInt8>) throws(BenchError) {
    guard status == 200 else { throw unexpected("a poll", status, body) }
    var count = 0
    var from = 0
    while let entry = Entry(body, from: from) {
      count += 1
      from = entry.lease.upperBound
    }
    goal.end(count)
    goal.giveBack(asked - count)
    try start()
  }
}

/// Sends one message, takes the oldest and answers it: the queue keeps its length.
private final class Worker: Client {
  private enum Step { case send, poll, result }

  private let poll: [UInt8]
  private let reports: ResultRequest
  private var request: NumberedRequest
  private var step = Step.send
  private var beganAt: Int64 = 0

  init(_ inbox: Inbox, meter: Meter, request: NumberedRequest) throws(BenchError) {
    poll = inbox.poll(wait: 25, max: 1)
    reports = ResultRequest(inbox)
    self.request = request
    try super.init(inbox.address, meter: meter)
  }

  override func start() throws(BenchError) {
    step = .send
    beganAt = ticks()
    request.setNumber(meter.nextNumber())
    try send(request.bytes)
  }

  override func answered(status: Int, body: borrowing Span<UInt8>) throws(BenchError) {
    guard status == 200 else { throw unexpected("\(step)", status, body) }
    switch step {
    case .send:
      step = .poll
      try send(poll)
    case .poll:
      guard let entry = Entry(body, from: 0) else { throw unexpected("a poll", status, body) }
      step = .result
      try send(reports.bytes(entry, body))
    case .result:
      meter.complete(since: beganAt)
      try start()
    }
  }
}
