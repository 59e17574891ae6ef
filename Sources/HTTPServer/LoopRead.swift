import Relay
import System

/// How bytes come in.
extension Loop {
  func read(_ connection: Connection, _ events: Poller.Events) {
    if connection.conversation.phase == .draining { return discard(connection) }
    var hasMore = true
    while hasMore, !connection.conversation.inputEnded {
      let room = roomForInput(of: connection)
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

  /// While a request is in work, a little of the next ones is buffered and no more: the rest waits
  /// in the kernel.
  private func roomForInput(of connection: Connection) -> Int {
    switch connection.conversation.phase {
    case .idle, .head, .body: Limits.readBytesMax
    default: max(0, Limits.pipelinedBytesMax - connection.conversation.bufferedBytes)
    }
  }

  private func discard(_ connection: Connection) {
    switch Socket.receive(connection.descriptor, into: &readBuffer, atMost: Limits.readBytesMax) {
    case .bytes(let count):
      connection.discarded += count
      if connection.discarded > Limits.drainBytesMax { lose(connection) }
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
    if connection.isWatched { halfClosed.append(connection) }
  }

  func reportHalfClosed() {
    guard !halfClosed.isEmpty else { return }
    let reported = halfClosed
    halfClosed = []
    for connection in reported
    where connection.isWatched && !connection.isReported && !connection.isClosed
      && connection.conversation.phase == .handling
    {
      connection.isReported = true
      application.peerHalfClosed(connection.ticket)
    }
  }

  /// Level-triggered: an interest in what cannot be taken now would make every wait return at once.
  func updateInterest(_ connection: Connection) {
    var wanted: Poller.Events = []
    let isDraining = connection.conversation.phase == .draining
    if !connection.conversation.inputEnded, isDraining || roomForInput(of: connection) > 0 {
      wanted.insert(.readable)
    }
    if !connection.conversation.peerHalfClosed, !isDraining { wanted.insert(.peerClosed) }
    if !connection.outbox.isEmpty { wanted.insert(.writable) }
    guard wanted != connection.interest, !connection.isUnwatched else { return }
    connection.interest = wanted
    do throws(SystemError) {
      try poller.modify(connection.token, wanted)
    } catch {
      preconditionFailure("an open connection is watched: \(error)")
    }
  }

  /// Both directions are closed and a receipt is open: EPOLLHUP cannot be turned off and would make
  /// every wait return at once. The receipt's timer goes on.
  func unwatch(_ connection: Connection) {
    guard !connection.isUnwatched else { return }
    connection.isUnwatched = true
    do throws(SystemError) {
      try poller.remove(connection.token)
    } catch {
      preconditionFailure("an open connection is watched: \(error)")
    }
  }

  /// Connections that had more bytes than the request in work.
  func resumeReady() {
    guard !ready.isEmpty else { return }
    let resumed = ready
    ready = []
    for connection in resumed where !connection.isClosed {
      connection.isReady = false
      advance(connection)
      if !connection.isClosed { updateInterest(connection) }
    }
  }
}
