import Relay
import System

/// How serving ends: nobody new is accepted, what has begun is finished.
extension Loop {
  /// As SIGTERM does. To be called on the loop's thread; others use `stopDescriptor`.
  package func stop() {
    guard shutdownEnds == nil else { return }
    shutdownEnds = now.instant.after(times.shutdown)
    receivingEnds = now.instant.after(times.shutdownRequest)
    // Whoever waits in the backlog comes in, as far as there is room. Later ones are refused, and
    // go to the relay that is started next.
    acceptWaiting()
    listener = nil
    acceptResumes = nil
    for connection in connections.compactMap({ $0 }) where connection.conversation.phase == .idle {
      // A request may have come that this turn has not seen.
      read(connection, [])
      if connection.conversation.phase == .idle { finish(connection) }
    }
    // What came before the end is taken as if nothing had ended.
    handOverWaiting(handOver.waiting.count)
    // Those in the middle of a request get less time for the rest of it.
    for connection in connections.compactMap({ $0 }) { schedule(connection) }
    application.shutdownRequested(now: now, loop: self)
  }

  var isFinished: Bool {
    guard let shutdownEnds else { return false }
    if now.instant >= shutdownEnds {
      log.warning("shutdown_cut_off", ["connections": .number(connectionCount)])
      return true
    }
    return connectionCount == 0 && handOver.waiting.isEmpty && application.isDrained
  }

  func closeAll() {
    for connection in connections.compactMap({ $0 }) { close(connection) }
  }
}
