import Relay
package import System

/// The verbs by which the application answers, holds and asks about a request.
extension Loop {
  /// Answers a request. The bytes leave at the end of this turn, after `turnEnded`.
  ///
  /// An answer to a request whose connection has ended is dropped; if a receipt was asked for,
  /// `delivered` reports that. After `isCommitted` only the body is sent: status and fields have
  /// left before.
  package func respond(_ ticket: Ticket, _ response: HTTPResponse, receipt: Bool = false) {
    guard let connection = connections.connection(of: ticket),
      connection.conversation.phase == .handling
    else {
      if receipt { pending.reportLostReceipt(of: ticket) }
      return
    }
    connection.receipts.isWanted = receipt
    answer(connection, response)
  }

  /// Lets the request wait for its answer, and watches its peer.
  ///
  /// With `whitespace`, `200` and the fields given here are sent after `Limits.keepAlive`, and then
  /// a space every `Limits.keepAlive` until the answer: white space before a JSON text means
  /// nothing (RFC 8259 §2), and clients with short time-outs stay.
  package func hold(
    _ ticket: Ticket, whitespace: Bool, contentType: String = "application/json",
    headers: @autoclosure @escaping () -> [(String, String)] = []
  ) {
    guard let connection = connections.connection(of: ticket),
      connection.conversation.phase == .handling
    else { return }
    let sendsWhitespace = whitespace && !connection.conversation.isHead
    connection.hold.sendWhitespace(
      sendsWhitespace
        ? { [HTTPResponse.server, ("Content-Type", contentType)] + headers() } : nil)
    connection.conversation.hold(
      until: sendsWhitespace ? now.instant.after(limits.times.keepAlive) : nil,
      limits: limits.http)
    schedule(connection)
    watch(connection)
  }

  /// Makes the loop call `peerHalfClosed` for this request, also if it happened before.
  package func watchPeer(_ ticket: Ticket) {
    guard let connection = connections.connection(of: ticket),
      connection.conversation.phase == .handling
    else { return }
    connection.conversation.hold(until: connection.conversation.deadline, limits: limits.http)
    watch(connection)
  }

  private func watch(_ connection: Connection) {
    connection.hold.watch()
    if connection.conversation.peerHalfClosed { pending.reportHalfClosed(connection) }
  }

  /// Returns whether `200` has been sent for a held request: its status can no longer be chosen.
  package func isCommitted(_ ticket: Ticket) -> Bool {
    connections.connection(of: ticket)?.conversation.isCommitted ?? false
  }

  /// Returns how many bytes on the request's connection the peer's TCP has not acknowledged; `nil`
  /// if the connection has ended.
  package func unacknowledged(_ ticket: Ticket) -> Int? {
    connections.connection(of: ticket).flatMap { Socket.unacknowledged($0.descriptor) }
  }

  /// Returns whether the request's connection is still open, whatever has become of the request.
  package func isConnected(_ ticket: Ticket) -> Bool {
    connections.connection(Int(ticket.slot), generation: ticket.generation) != nil
  }

  /// Returns the object that the application has kept with the connection. It is kept as long as
  /// the connection is open.
  package func memo(of ticket: Ticket) -> AnyObject? { connections.connection(of: ticket)?.memo }

  package func keep(_ memo: AnyObject, for ticket: Ticket) {
    connections.connection(of: ticket)?.memo = memo
  }

  package func peer(of ticket: Ticket) -> PeerAddress? { connections.connection(of: ticket)?.peer }

  /// Ends the connection of a request that will get no answer. `peerGone` is not called.
  package func abandon(_ ticket: Ticket) {
    guard let connection = connections.connection(of: ticket),
      connection.conversation.phase == .handling
    else { return }
    failReceipts(connection)
    close(connection)
  }
}
