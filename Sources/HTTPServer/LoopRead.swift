import Relay
import System

/// How bytes are received.
extension Loop {
  func read(_ connection: Connection, _ events: Poller.Events) {
    if connection.conversation.phase == .draining { return discard(connection) }
    var hasMore = true
    while hasMore, !connection.conversation.inputEnded {
      let room = connection.roomForInput
      guard room > 0 else { break }
      switch Socket.receive(connection.descriptor, into: &readBuffer, atMost: room) {
      case .bytes(let count):
        connection.conversation.receive(readBuffer.span.extracting(0..<count))
        // The end is worth another call only if epoll has announced it.
        hasMore = count < room && events.contains(.peerClosed)
      case .wouldBlock: hasMore = false
      case .end: connection.conversation.inputEnded = true
      case .failed: return lose(connection)
      }
    }
    if events.contains(.peerClosed) || connection.conversation.inputEnded {
      noteHalfClosed(connection)
    }
    advance(connection)
    if !connection.isClosed { updateInterest(connection) }
  }

  private func discard(_ connection: Connection) {
    switch Socket.receive(connection.descriptor, into: &readBuffer, atMost: Limits.readBytesMax)
    {
    case .bytes(let count):
      if !connection.discard.take(count) { lose(connection) }
    case .wouldBlock: break
    case .end:
      connection.conversation.inputEnded = true
      checkReceipts(connection)
      if !closeIfDrained(connection) { unwatch(connection) }
    case .failed: lose(connection)
    }
  }

  private func noteHalfClosed(_ connection: Connection) {
    guard !connection.conversation.peerHalfClosed else { return }
    connection.conversation.peerHalfClosed = true
    if connection.hold.isWatched { pending.reportHalfClosed(connection) }
  }

  func reportHalfClosed() {
    for connection in pending.takeHalfClosed()
    where !connection.isClosed && connection.conversation.phase == .handling {
      if connection.hold.report() { application.peerHalfClosed(connection.ticket) }
    }
  }

  func updateInterest(_ connection: Connection) {
    let wanted = connection.wantedEvents
    if connection.interest.change(to: wanted) { sources.change(connection.token, to: wanted) }
  }

  /// Both directions are closed and a receipt is open: EPOLLHUP cannot be turned off and would make
  /// every wait return at once. The receipt's timer goes on.
  func unwatch(_ connection: Connection) {
    if connection.interest.end() { sources.remove(connection.token) }
  }

  /// Goes on with connections that had more bytes than the request in work.
  func resumeReady() {
    for connection in pending.takeResuming() where !connection.isClosed {
      connection.pending.remove(.resuming)
      advance(connection)
      if !connection.isClosed { updateInterest(connection) }
    }
  }
}
