package import Relay
package import System
import Wire

/// The server: one thread that owns every socket and calls the application.
///
/// A turn reads what has arrived, hands whole requests to the application, lets it end the turn
/// (one commit for all of them) and sends the answers. Only the wait at the start of a turn blocks.
/// The loop carries out what its parts decide: `Conversation` about one connection, `Receipts`
/// about its acknowledgements, `HandOver` about the order of large bodies.
package final class Loop {
  let application: any Application
  let limits: LoopLimits
  var log: LoopLog
  let sources: EventSources
  let acceptor: Acceptor
  var connections = ConnectionTable()
  var pending = PendingWork()
  var handOver = HandOver()
  var shutdown = Shutdown()
  /// What every read goes into first.
  var readBuffer = [UInt8](repeating: 0, count: Limits.readBytesMax)
  var heads = ResponseHeads()
  /// Bytes of bodies being read, handed over in this turn, and waiting to be sent.
  package let memory: BodyMemory
  private var memoryReturn: MemoryReturn
  package internal(set) var now: Now
  package internal(set) var counters = LoopCounters()

  package init(
    listener: consuming Listener, limits: Limits, log: Log, application: any Application,
    signals: consuming Signals? = nil
  ) throws(SystemError) {
    self.application = application
    self.limits = LoopLimits(limits)
    self.log = LoopLog(log)
    memory = BodyMemory(limits)
    memoryReturn = MemoryReturn(keptMax: limits.memoryKeptMax)
    now = Clock.now()
    sources = try EventSources(
      listener: listener.raw, eventsMax: Limits.eventsInTurnMax, signals: consume signals)
    acceptor = Acceptor(consume listener)
  }

  package var address: SocketAddress { acceptor.address }

  package var connectionCount: Int { connections.count }

  /// Another thread writes to this eventfd (`Wakeup.signal`) to have `wokenUp` called.
  package var wakeDescriptor: Int32 { sources.wakeDescriptor }

  /// Another thread writes to this eventfd to have `stop` called.
  package var stopDescriptor: Int32 { sources.stopDescriptor }

  /// Serves until SIGTERM, SIGINT or `stop`, and then until all is answered or `shutdownTime` over.
  package func run() throws(SystemError) {
    while !isFinished { try turn() }
    for connection in connections.all { close(connection) }
  }

  private func turn() throws(SystemError) {
    armTimer()
    let count = try sources.wait(hasWork: !pending.isEmpty || !handOver.waiting.isEmpty)
    counters.turns += 1
    now = Clock.now()
    for index in 0..<count { dispatch(sources.event(index)) }
    resumeReady()
    handOverWaiting(handOver.beginTurn(bytesMax: limits.turnBodyBytesMax))
    reportHalfClosed()
    expireDue()
    if sources.takeWakeup() { application.wokenUp(now: now, loop: self) }
    application.turnEnded(now: now, loop: self)
    flush()
    memory.body(-handOver.endTurn(), of: .nobody)
    if memoryReturn.isDue(memory, connections: connectionCount, now: now.instant) {
      counters.memoryGivenBack += 1
      FreeMemory.giveBack()
    }
  }

  private func dispatch(_ event: EventSources.Event) {
    switch event {
    case .connection(let token, let events):
      let slot = Int(token.descriptor)
      if let connection = connections.connection(slot, generation: token.generation) {
        dispatch(connection, events)
      }
    case .listener: acceptWaiting()
    case .stop: stop()
    case .signal(let arrival):
      log.signal(arrival)
      if arrival.ends { stop() }
    case .nothing: break
    }
  }

  private func dispatch(_ connection: Connection, _ events: Poller.Events) {
    let isDraining = connection.conversation.phase == .draining
    if events.contains(.failed) || (events.contains(.hungUp) && !isDraining) {
      return lose(connection)
    }
    if events.contains(.writable) { pending.send(connection) }
    if events.contains(.readable) || events.contains(.peerClosed) || events.contains(.hungUp) {
      read(connection, events)
    }
  }
}
