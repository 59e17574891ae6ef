import Relay
import System

/// What happens because time has passed.
extension Loop {
  /// Makes sure that the connection is looked at when something of it is due.
  func schedule(_ connection: Connection) {
    guard !connection.isClosed else { return }
    let slot = UInt32(connection.descriptor)
    if let receivingEnds { connection.conversation.hasten(to: receivingEnds) }
    if let deadline = connection.conversation.deadline {
      deadlines.set(slot, atOrBefore: deadline)
    }
    if let due = connection.receiptDue { deadlines.set(slot, atOrBefore: due) }
  }

  func expireDue() {
    let instant = now.instant
    while let slot = deadlines.popDue(now: instant) {
      guard let connection = connections[Int(slot)] else { continue }
      if let due = connection.receiptDue, due <= instant {
        checkReceipts(connection)
        endReceipts(connection)
        closeIfDrained(connection)
      }
      if !connection.isClosed { expire(connection) }
      schedule(connection)
    }
    if let resumes = acceptResumes, resumes <= instant { resumeAccepting() }
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

  /// The timer is set only to an earlier instant; one that has become needless costs one turn.
  func armTimer() {
    var next = deadlines.next
    for other in [application.nextDeadline, acceptResumes, shutdownEnds] {
      guard let other else { continue }
      next = next.map { min($0, other) } ?? other
    }
    guard let next else { return }
    if let armedAt, armedAt <= next { return }
    armedAt = next
    timer.arm(at: next)
  }
}
