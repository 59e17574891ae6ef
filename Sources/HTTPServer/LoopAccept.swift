import Relay
import System

/// How connections begin and end.
extension Loop {
  /// Accepts those who wait, until there is no place for more.
  func acceptWaiting() {
    for _ in 0..<Limits.acceptsInTurnMax {
      guard connectionCount < limits.connectionsMax else {
        return pauseAccepting("connections_max", until: nil)
      }
      // Shut down in the middle of a turn.
      guard let accepted = acceptor.accept() else { return }
      switch accepted {
      case .connection(let descriptor, let peer): open(descriptor, peer)
      case .aborted: continue
      case .none: return
      case .exhausted:
        return pauseAccepting("descriptors", until: now.instant.after(limits.times.acceptPause))
      }
    }
  }

  private func open(_ descriptor: Int32, _ peer: PeerAddress) {
    let connection = Connection(
      descriptor: descriptor, generation: connections.nextGeneration(), peer: peer,
      conversation: Conversation(limits: limits.http, now: now.instant, times: limits.times))
    do throws(SystemError) {
      try sources.add(connection.token, connection.interest.events)
    } catch {
      // ENOSPC or ENOMEM: the kernel's bound on watches. The peer may come again.
      Socket.close(descriptor)
      return pauseAccepting("watches", until: now.instant.after(limits.times.acceptPause))
    }
    connections.insert(connection)
    counters.connectionsAccepted += 1
    schedule(connection)
  }

  private func pauseAccepting(_ reason: StaticString, until instant: Instant?) {
    guard acceptor.pause.begin(until: instant) else { return }
    counters.acceptsPaused += 1
    log.acceptPaused(reason, connections: connectionCount, now: now.instant)
    watchListener([])
  }

  func resumeAccepting() {
    if acceptor.pause.end() { watchListener(.readable) }
  }

  private func watchListener(_ events: Poller.Events) {
    guard let raw = acceptor.descriptor else { return }
    sources.change(Poller.Token(descriptor: raw, generation: 0), to: events)
  }

  /// Ends a connection that has failed or is cut off. Whoever waits for its peer is notified.
  func lose(_ connection: Connection) {
    guard !connection.isClosed else { return }
    counters.connectionsLost += 1
    // The application learns of a request that still waits when it has been handed over.
    let isOwed = connection.conversation.phase == .handling && !handOver.isWaiting(connection)
    if connection.conversation.phase == .answering, connection.receipts.isWanted {
      application.delivered(connection.ticket, received: false)
    }
    failReceipts(connection)
    close(connection)
    if isOwed { application.peerGone(connection.ticket) }
  }

  /// Ends a connection on which nothing is owed, once its receipts are decided.
  func finish(_ connection: Connection) {
    checkReceipts(connection)
    guard connection.receipts.isEmpty else { return drain(connection, discarding: false) }
    close(connection)
  }

  /// Ends this side of the connection. With `discarding` the peer may still be sending: its bytes
  /// are thrown away until it closes too, because closing first would reset it before it has read
  /// the answer.
  func drain(_ connection: Connection, discarding: Bool) {
    guard connection.conversation.phase != .draining else { return }
    if discarding { connection.discard.begin() }
    Socket.shutdownWriting(connection.descriptor)
    connection.receipts.kernelTook(1)
    let time = connection.receipts.isEmpty ? limits.times.drain : limits.times.write
    connection.conversation.drain(until: now.instant.after(time))
    guard !closeIfDrained(connection) else { return }
    schedule(connection)
    if connection.conversation.inputEnded {
      unwatch(connection)
    } else {
      updateInterest(connection)
    }
  }

  /// Returns true if there was nothing left to wait for.
  @discardableResult func closeIfDrained(_ connection: Connection) -> Bool {
    guard connection.conversation.phase == .draining, connection.receipts.isEmpty,
      connection.conversation.inputEnded || !connection.discard.isOn
    else { return false }
    close(connection)
    return true
  }

  func close(_ connection: Connection) {
    guard !connection.isClosed else { return }
    connection.isClosed = true
    connections.remove(connection)
    if !handOver.isWaiting(connection) { connection.memory.setBody(0, in: memory) }
    connection.memory.setAnswer(0, in: memory)
    connection.memory.setHead(0, in: memory)
    Socket.close(connection.descriptor)
    resumeAccepting()
  }
}
