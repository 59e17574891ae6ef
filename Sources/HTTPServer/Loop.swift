import Glibc
package import Relay
package import System
import Wire

/// The server: one thread that owns every socket and calls the application.
///
/// A turn reads what has arrived, hands whole requests to the application, lets it end the turn
/// (one commit for all of them) and sends the answers. Nothing in here blocks but the wait at the
/// start of a turn. What happens on one connection is decided by `Conversation`.
package final class Loop {
  let application: any Application
  let limits: Limits
  let httpLimits: HTTPLimits
  let times: Times
  let log: Log
  let poller: Poller
  let wakeup: Wakeup
  let stopping: Wakeup
  let timer: BootTimer
  let signals: Signals?
  /// Closed at shutdown.
  var listener: Listener?

  /// By descriptor. A place is taken again as soon as its connection is closed.
  var connections: [Connection?] = []
  package internal(set) var connectionCount = 0
  var lastGeneration: UInt32 = 0
  var deadlines = DeadlineHeap()
  /// What every read goes into first.
  var readBuffer = [UInt8](repeating: 0, count: Limits.readBytesMax)
  /// What every head is made in.
  var scratch: [UInt8] = []

  /// Connections with something to send at the end of this turn.
  var dirty: [Connection] = []
  /// Connections with bytes to look at in the next turn, whatever epoll says.
  var ready: [Connection] = []
  /// Watched requests whose peer had half-closed before.
  var halfClosed: [Connection] = []
  /// Receipts asked for by answers that came too late.
  var lostReceipts: [Ticket] = []

  /// Bytes of bodies being read, handed over in this turn, and waiting to be sent.
  package let memory: BodyMemory
  var handOver = HandOver()
  private var connectionPeak = 0
  private var givesBackFrom = Instant(nanoseconds: 0)

  package internal(set) var now: Now
  var date: [UInt8] = []
  var dateSecond: Int64 = .min
  /// When the timer fires; it may be earlier than anything that is due.
  var armedAt: Instant?
  var acceptResumes: Instant?
  var isAcceptPaused = false
  var wasWoken = false
  var shutdownEnds: Instant?
  /// When requests that are still being received are cut off.
  var receivingEnds: Instant?
  var refusals = LogGate(perSecond: Limits.refusalLinesPerSecondMax)

  package private(set) var address: SocketAddress
  package internal(set) var counters = LoopCounters()

  package init(
    listener: consuming Listener, limits: Limits, log: Log, application: any Application,
    signals: consuming Signals? = nil
  ) throws(SystemError) {
    self.application = application
    self.limits = limits
    self.log = log
    var httpLimits = HTTPLimits()
    httpLimits.headBytesMax = limits.headBytesMax
    httpLimits.bodyBytesMax = limits.bodyBytesMax
    self.httpLimits = httpLimits
    times = Times(limits)
    memory = BodyMemory(limits)
    poller = try Poller(eventsMax: Limits.eventsInTurnMax)
    wakeup = try Wakeup()
    stopping = try Wakeup()
    timer = try BootTimer()
    now = Clock.now()
    address = listener.address
    try Loop.watch(listener.raw, poller)
    try Loop.watch(wakeup.raw, poller)
    try Loop.watch(stopping.raw, poller)
    try Loop.watch(timer.raw, poller)
    if let raw = signals?.raw { try Loop.watch(raw, poller) }
    self.listener = consume listener
    self.signals = consume signals
  }

  /// Connections have generations from 1.
  private static func watch(_ raw: Int32, _ poller: borrowing Poller) throws(SystemError) {
    try poller.add(Poller.Token(descriptor: raw, generation: 0), .readable)
  }

  /// Another thread writes to this eventfd (`Wakeup.signal`) to have `wokenUp` called.
  package var wakeDescriptor: Int32 { wakeup.raw }

  /// Another thread writes to this eventfd to have `stop` called.
  package var stopDescriptor: Int32 { stopping.raw }

  /// Serves until SIGTERM, SIGINT or `stop`, and then until all is answered or `shutdownTime` over.
  package func run() throws(SystemError) {
    while !isFinished { try turn() }
    closeAll()
  }

  private func turn() throws(SystemError) {
    armTimer()
    let count = try poller.wait(milliseconds: hasWork ? 0 : -1)
    counters.turns += 1
    now = Clock.now()
    for index in 0..<count {
      let (token, events) = poller.event(index)
      if token.generation == 0 { own(token.descriptor) } else { dispatch(token, events) }
    }
    resumeReady()
    handOverWaiting(handOver.beginTurn(bytesMax: limits.turnBodyBytesMax))
    reportHalfClosed()
    expireDue()
    if wasWoken {
      wasWoken = false
      application.wokenUp(now: now, loop: self)
    }
    application.turnEnded(now: now, loop: self)
    flush()
    memory.body(-handOver.bytes, of: .nobody)
    handOver.bytes = 0
    giveBackMemory()
  }

  /// What was freed stays with the process, in pieces that nothing large fits into: after a peak it
  /// goes back to the system.
  private func giveBackMemory() {
    connectionPeak = max(connectionPeak, connectionCount)
    let now = memory.used + connectionCount * Connection.ownBytes
    let peak = memory.peak + connectionPeak * Connection.ownBytes
    guard peak - now > limits.memoryKeptMax, now < peak / 2, self.now.instant >= givesBackFrom
    else { return }
    givesBackFrom = self.now.instant + Limits.memoryReturnEvery
    memory.forgetPeak()
    connectionPeak = connectionCount
    counters.memoryGivenBack += 1
    FreeMemory.giveBack()
  }

  private var hasWork: Bool {
    !ready.isEmpty || !dirty.isEmpty || !halfClosed.isEmpty || !lostReceipts.isEmpty
      || !handOver.waiting.isEmpty
  }

  /// An event of one of the loop's own descriptors.
  private func own(_ descriptor: Int32) {
    if descriptor == listener?.raw {
      acceptWaiting()
    } else if descriptor == timer.raw {
      timer.drain()
      armedAt = nil
    } else if descriptor == wakeup.raw {
      wakeup.drain()
      wasWoken = true
    } else if descriptor == stopping.raw {
      stopping.drain()
      stop()
    } else if let signal = signals?.take() {
      guard signal.ends else {
        return log.info("signal_ignored", ["number": .number(Int(signal.number))])
      }
      log.info("signal", ["number": .number(Int(signal.number))])
      stop()
    }
  }

  private func dispatch(_ token: Poller.Token, _ events: Poller.Events) {
    guard let connection = connections[Int(token.descriptor)],
      connection.generation == token.generation
    else { return }
    let isDraining = connection.conversation.phase == .draining
    if events.contains(.failed) || (events.contains(.hungUp) && !isDraining) {
      return lose(connection)
    }
    if events.contains(.writable) { markDirty(connection) }
    if events.contains(.readable) || events.contains(.peerClosed) || events.contains(.hungUp) {
      read(connection, events)
    }
  }

  /// Connections are looked up by what a ticket says; only the one it was given for is found.
  func connection(of ticket: Ticket) -> Connection? {
    guard Int(ticket.slot) < connections.count, let connection = connections[Int(ticket.slot)],
      connection.generation == ticket.generation,
      connection.conversation.request == ticket.request
    else { return nil }
    return connection
  }

  func markDirty(_ connection: Connection) {
    guard !connection.isDirty else { return }
    connection.isDirty = true
    dirty.append(connection)
  }
}
