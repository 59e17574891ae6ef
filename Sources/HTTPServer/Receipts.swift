import Relay

/// The answers of one connection that the peer's TCP has not acknowledged, and when to look again.
///
/// A write that succeeds says only that the kernel took the bytes; after the peer's close it still
/// succeeds. SIOCOUTQ says how many bytes the peer has not acknowledged. Nothing reports a change
/// of that number, so it is looked at at once, then after 20 ms, 40 ms and so on, up to once a
/// second. A peer that acknowledges nothing for `writeTime` is cut off: its machine may be gone
/// without a word, and TCP itself would go on trying for a quarter of an hour.
struct Receipts {
  private struct Receipt {
    let request: UInt32
    /// The count of bytes sent on this connection with which the answer is complete.
    let end: Int
  }

  /// When to look again.
  private(set) var due: Instant?
  /// The application wants a receipt for the answer that is on its way.
  var isWanted = false
  private var open: [Receipt] = []
  private var delay: Int64 = 0
  /// Bytes that the kernel has taken, and one for a FIN.
  private var sent = 0
  /// Bytes that the peer has acknowledged, as far as is known.
  private var acknowledged = 0
  /// The peer is cut off if it acknowledges nothing until then.
  private var end = Instant(nanoseconds: 0)

  var isEmpty: Bool { open.isEmpty }

  mutating func kernelTook(_ bytes: Int) { sent += bytes }

  /// The kernel has taken all of the answer to `request`. Look at once.
  mutating func await(_ request: UInt32, now: Instant, times: Times) {
    isWanted = false
    if open.isEmpty { end = now.after(times.write) }
    open.append(Receipt(request: request, end: sent))
    delay = times.receiptFirst
  }

  /// The peer has not acknowledged `missing` of the bytes sent. The caller then takes the requests
  /// with `popAcknowledged`, and calls `lookAgain`.
  mutating func peerMisses(_ missing: Int, now: Instant, times: Times) {
    guard sent - missing > acknowledged else { return }
    acknowledged = sent - missing
    end = now.after(times.write)
  }

  /// Takes a request whose answer has been acknowledged, in the order in which they were sent.
  mutating func popAcknowledged() -> UInt32? {
    guard let first = open.first, first.end <= acknowledged else { return nil }
    open.removeFirst()
    return first.request
  }

  /// Sets `due` for the answers that are left.
  mutating func lookAgain(now: Instant, times: Times) {
    guard !open.isEmpty else {
      due = nil
      return
    }
    due = min(now.after(delay), max(end, now))
    delay = min(delay * 2, times.receiptMax)
  }

  /// The peer has acknowledged nothing for too long.
  func areOverdue(now: Instant) -> Bool { !open.isEmpty && end <= now }

  /// The connection has failed. Takes the requests whose answers will never be acknowledged.
  mutating func takeAll() -> [UInt32] {
    due = nil
    defer { open = [] }
    return open.map(\.request)
  }
}
