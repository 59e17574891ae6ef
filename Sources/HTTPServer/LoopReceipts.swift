import Relay
import System

/// Whether the peer's TCP has acknowledged an answer.
///
/// A write that succeeds says only that the kernel took the bytes; after the peer's close it still
/// succeeds. SIOCOUTQ says how many the peer has not acknowledged. Nothing reports a change of it,
/// so it is looked at at once, then after 20 ms, 40 ms and so on, up to once a second. A peer that
/// acknowledges nothing for `writeTime` is cut off: its machine may be gone without a word, and TCP
/// itself would go on trying for a quarter of an hour.
extension Loop {
  /// The answer has been handed to the kernel whole.
  func awaitReceipt(_ connection: Connection) {
    if connection.receipts.isEmpty { connection.receiptsEnd = now.instant.after(times.write) }
    connection.receipts.append(
      Connection.Receipt(request: connection.conversation.request, end: connection.sentTotal))
    connection.receiptDelay = times.receiptFirst
    checkReceipts(connection)
  }

  func checkReceipts(_ connection: Connection) {
    guard !connection.receipts.isEmpty else { return }
    guard let missing = Socket.unacknowledged(connection.descriptor) else {
      return failReceipts(connection)
    }
    let acknowledged = connection.sentTotal - missing
    if acknowledged > connection.acknowledged {
      connection.acknowledged = acknowledged
      connection.receiptsEnd = now.instant.after(times.write)
    }
    while let first = connection.receipts.first, first.end <= acknowledged {
      connection.receipts.removeFirst()
      application.delivered(connection.ticket(of: first.request), received: true)
    }
    guard !connection.receipts.isEmpty else {
      connection.receiptDue = nil
      return
    }
    let next = now.instant.after(connection.receiptDelay)
    connection.receiptDue = min(next, max(connection.receiptsEnd, now.instant))
    connection.receiptDelay = min(connection.receiptDelay * 2, times.receiptMax)
    schedule(connection)
  }

  /// Cuts the peer off if it has acknowledged nothing for too long.
  func endReceipts(_ connection: Connection) {
    guard !connection.receipts.isEmpty, connection.receiptsEnd <= now.instant else { return }
    counters.writesTimedOut += 1
    lose(connection)
  }

  /// The connection has failed: what was not acknowledged never will be.
  func failReceipts(_ connection: Connection) {
    let failed = connection.receipts
    connection.receipts = []
    connection.receiptDue = nil
    for receipt in failed {
      application.delivered(connection.ticket(of: receipt.request), received: false)
    }
  }

  func reportLostReceipts() {
    guard !lostReceipts.isEmpty else { return }
    let lost = lostReceipts
    lostReceipts = []
    for ticket in lost { application.delivered(ticket, received: false) }
  }
}
