import Relay
package import System

/// What the application may do with a request that it has been given.
extension Loop {
  /// Answers a request. The bytes leave at the end of this turn, after `turnEnded`.
  ///
  /// An answer to a request whose connection has ended goes nowhere; if a receipt was asked for,
  /// `delivered` says so. After `isCommitted` only the body counts: status and fields have gone.
  package func respond(_ ticket: Ticket, _ response: HTTPResponse, receipt: Bool = false) {
    guard let connection = connection(of: ticket), connection.conversation.phase == .handling
    else {
      if receipt { lostReceipts.append(ticket) }
      return
    }
    connection.wantsReceipt = receipt
    answer(connection, response)
  }

  /// The request waits for its answer, and its peer is watched.
  ///
  /// With `whitespace`, after `limits.keepAlive` `200` and the fields given here are committed, and
  /// one space goes out every `limits.keepAlive` until the answer: white space before a JSON text
  /// means nothing (RFC 8259 §2), and clients with short time-outs stay.
  package func hold(
    _ ticket: Ticket, whitespace: Bool, contentType: String = "application/json",
    headers: @autoclosure @escaping () -> [(String, String)] = []
  ) {
    guard let connection = connection(of: ticket), connection.conversation.phase == .handling
    else { return }
    connection.sendsWhitespace = whitespace && !connection.conversation.isHead
    if connection.sendsWhitespace {
      connection.heldHeaders = {
        [HTTPResponse.server, ("Content-Type", contentType)] + headers()
      }
    }
    connection.conversation.hold(
      until: connection.sendsWhitespace ? now.instant.after(times.keepAlive) : nil,
      limits: httpLimits)
    schedule(connection)
    watch(connection)
  }

  /// From now on `peerHalfClosed` is called for this request, also if it happened before.
  package func watchPeer(_ ticket: Ticket) {
    guard let connection = connection(of: ticket), connection.conversation.phase == .handling
    else { return }
    connection.conversation.hold(until: connection.conversation.deadline, limits: httpLimits)
    watch(connection)
  }

  private func watch(_ connection: Connection) {
    connection.isWatched = true
    if connection.conversation.peerHalfClosed { halfClosed.append(connection) }
  }

  /// `200` has been sent for a held request: its status can no longer be chosen.
  package func isCommitted(_ ticket: Ticket) -> Bool {
    connection(of: ticket)?.conversation.isCommitted ?? false
  }

  /// Bytes on the request's connection that the peer's TCP has not acknowledged; `nil` if it is
  /// gone.
  package func unacknowledged(_ ticket: Ticket) -> Int? {
    connection(of: ticket).flatMap { Socket.unacknowledged($0.descriptor) }
  }

  /// The connection that the request came on is still open, whatever has become of the request.
  package func isConnected(_ ticket: Ticket) -> Bool {
    let slot = Int(ticket.slot)
    guard slot < connections.count, let connection = connections[slot] else { return false }
    return connection.generation == ticket.generation
  }

  /// The number that came with the request's `Admission`.
  package func note(of ticket: Ticket) -> UInt64? { connection(of: ticket)?.note }

  /// What the application has kept with the connection, for as long as it is open.
  package func memo(of ticket: Ticket) -> AnyObject? { connection(of: ticket)?.memo }

  package func keep(_ memo: AnyObject, for ticket: Ticket) { connection(of: ticket)?.memo = memo }

  package func peer(of ticket: Ticket) -> PeerAddress? { connection(of: ticket)?.peer }

  /// Ends the connection of a request that will get no answer. `peerGone` is not called.
  package func abandon(_ ticket: Ticket) {
    guard let connection = connection(of: ticket), connection.conversation.phase == .handling
    else { return }
    failReceipts(connection)
    close(connection)
  }
}
