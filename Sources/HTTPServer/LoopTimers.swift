import Relay
import System

/// How deadlines are set, and what is done when they come.
extension Loop {
  /// Makes sure that the connection is looked at when something of it is due.
  func schedule(_ connection: Connection) {
    guard !connection.isClosed else { return }
    if let end = shutdown.receivingEnd { connection.conversation.hasten(to: end) }
    if let deadline = connection.conversation.deadline {
      connections.schedule(connection, atOrBefore: deadline)
    }
    if let due = connection.receipts.due { connections.schedule(connection, atOrBefore: due) }
  }

  func expireDue() {
    let instant = now.instant
    while let connection = connections.popDue(now: instant) {
      if let due = connection.receipts.due, due <= instant {
        checkReceipts(connection)
        endReceipts(connection)
        closeIfDrained(connection)
      }
      if !connection.isClosed { expire(connection) }
      schedule(connection)
    }
    if acceptor.pause.isOver(now: instant) { resumeAccepting() }
  }

  private func expire(_ connection: Connection) {
    switch connection.conversation.expired(now: now.instant) {
    case .none: break
    case .close:
      if connection.conversation.phase == .idle { counters.idleClosed += 1 }
      failReceipts(connection)
      close(connection)
    case .requestTimeout:
      counters.requestsTimedOut += 1
      var response = HTTPResponse.error(
        408, "The request did not arrive in time.", code: "request_timeout")
      response.closes = true
      answer(connection, response)
    case .keepAlive: sendWhitespace(connection)
    case .cutOff:
      counters.writesTimedOut += 1
      lose(connection)
    }
  }

  /// The next turn begins when the first of all deadlines comes, or before.
  func armTimer() {
    var next = connections.nextDeadline
    for other in [application.nextDeadline, acceptor.pause.resumesAt, shutdown.end] {
      guard let other else { continue }
      next = next.map { min($0, other) } ?? other
    }
    if let next { sources.arm(at: next) }
  }
}
