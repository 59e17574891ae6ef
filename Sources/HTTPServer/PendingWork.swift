/// What is left for the end of this turn or for the next turn.
///
/// A connection stands in each of its lists once. While anything is pending, the loop does not wait
/// for events.
struct PendingWork {
  /// The lists that a connection stands in.
  struct Marks: OptionSet {
    let rawValue: UInt8
    static let sending = Marks(rawValue: 1)
    static let resuming = Marks(rawValue: 2)
  }

  /// Connections with something to send at the end of this turn.
  private var sending: [Connection] = []
  /// Connections with bytes to look at in the next turn, whatever epoll says.
  private var resuming: [Connection] = []
  /// Connections whose peer has half-closed, with a request whose application wants to know.
  private var halfClosed: [Connection] = []
  /// Requests whose answer came too late, and whose receipt was asked for.
  private var lostReceipts: [Ticket] = []

  var isEmpty: Bool {
    sending.isEmpty && resuming.isEmpty && halfClosed.isEmpty && lostReceipts.isEmpty
  }

  mutating func send(_ connection: Connection) {
    guard connection.pending.insert(.sending).inserted else { return }
    sending.append(connection)
  }

  mutating func resume(_ connection: Connection) {
    guard connection.pending.insert(.resuming).inserted else { return }
    resuming.append(connection)
  }

  mutating func reportHalfClosed(_ connection: Connection) { halfClosed.append(connection) }

  mutating func reportLostReceipt(of ticket: Ticket) { lostReceipts.append(ticket) }

  /// Takes the connections to send on. The caller removes `sending` from the marks of each when it
  /// sends; those that come meanwhile wait for the next turn.
  mutating func takeSending() -> [Connection] { Self.take(&sending) }

  /// Takes the connections to go on with. The caller removes `resuming` from the marks of each.
  mutating func takeResuming() -> [Connection] { Self.take(&resuming) }

  mutating func takeHalfClosed() -> [Connection] { Self.take(&halfClosed) }

  mutating func takeLostReceipts() -> [Ticket] { Self.take(&lostReceipts) }

  private static func take<Element>(_ list: inout [Element]) -> [Element] {
    guard !list.isEmpty else { return [] }
    defer { list = [] }
    return list
  }
}
