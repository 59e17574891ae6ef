import Relay
import System

/// How serving ends: nobody new is accepted, what has begun is finished.
extension Loop {
  /// As SIGTERM does. To be called on the loop's thread; others use `stopDescriptor`.
  package func stop() {
    guard shutdown.begin(now: now.instant, times: limits.times) else { return }
    // Whoever waits in the backlog comes in, as far as there is room. Later ones are refused, and
    // go to the relay that is started next.
    acceptWaiting()
    acceptor.close()
    for connection in connections.all where connection.conversation.phase == .idle {
      // A request may have come that this turn has not seen.
      read(connection, [])
      if connection.conversation.phase == .idle { finish(connection) }
    }
    // What came before the end is taken as if nothing had ended.
    handOverWaiting(handOver.waiting.count)
    // Those in the middle of a request get less time for the rest of it.
    for connection in connections.all { schedule(connection) }
    application.shutdownRequested(now: now, loop: self)
  }

  var isFinished: Bool {
    guard shutdown.hasBegun else { return false }
    if shutdown.isOver(now: now.instant) {
      log.shutdownCutOff(connections: connectionCount)
      return true
    }
    return connectionCount == 0 && handOver.waiting.isEmpty && application.isDrained
  }
}
