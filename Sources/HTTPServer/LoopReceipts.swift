import Relay
import System

/// How the application learns whether the peer's TCP has acknowledged an answer.
extension Loop {
  /// The answer has been handed to the kernel whole.
  func awaitReceipt(_ connection: Connection) {
    connection.receipts.await(
      connection.conversation.request, now: now.instant, times: limits.times)
    checkReceipts(connection)
  }

  func checkReceipts(_ connection: Connection) {
    guard !connection.receipts.isEmpty else { return }
    guard let missing = Socket.unacknowledged(connection.descriptor) else {
      return failReceipts(connection)
    }
    connection.receipts.peerMisses(missing, now: now.instant, times: limits.times)
    while let request = connection.receipts.popAcknowledged() {
      application.delivered(connection.ticket(of: request), received: true)
    }
    connection.receipts.lookAgain(now: now.instant, times: limits.times)
    if !connection.receipts.isEmpty { schedule(connection) }
  }

  /// Cuts the peer off if it has acknowledged nothing for too long.
  func endReceipts(_ connection: Connection) {
    guard connection.receipts.areOverdue(now: now.instant) else { return }
    counters.writesTimedOut += 1
    lose(connection)
  }

  /// The connection has failed: what was not acknowledged never will be.
  func failReceipts(_ connection: Connection) {
    for request in connection.receipts.takeAll() {
      application.delivered(connection.ticket(of: request), received: false)
    }
  }

  func reportLostReceipts() {
    for ticket in pending.takeLostReceipts() { application.delivered(ticket, received: false) }
  }
}
