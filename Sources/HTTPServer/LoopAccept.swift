import Relay
import System

/// How connections begin and end.
extension Loop {
  /// Takes whoever waits. When descriptors or places run out nobody is accepted for a while: the
  /// listener stays readable, and level-triggered epoll would report it for ever.
  func acceptWaiting() {
    for _ in 0..<Limits.acceptsInTurnMax {
      guard connectionCount < limits.connectionsMax else {
        return pauseAccepting("connections_max", until: nil)
      }
      // Shut down in the middle of a turn.
      guard let accepted = listener?.accept() else { return }
      switch accepted {
      case .connection(let descriptor, let peer): open(descriptor, peer)
      case .aborted: continue
      case .none: return
      case .exhausted:
        return pauseAccepting("descriptors", until: now.instant.after(times.acceptPause))
      }
    }
  }

  private func open(_ descriptor: Int32, _ peer: PeerAddress) {
    lastGeneration &+= 1
    if lastGeneration == 0 { lastGeneration = 1 }
    let connection = Connection(
      descriptor: descriptor, generation: lastGeneration, peer: peer,
      conversation: Conversation(limits: httpLimits, now: now.instant, times: times))
    do throws(SystemError) {
      try poller.add(connection.token, connection.interest)
    } catch {
      // ENOSPC or ENOMEM: the kernel's bound on watches. The peer may come again.
      Socket.close(descriptor)
      return pauseAccepting("watches", until: now.instant.after(times.acceptPause))
    }
    let index = Int(descriptor)
    if connections.count <= index {
      connections.append(contentsOf: repeatElement(nil, count: index + 1 - connections.count))
    }
    connections[index] = connection
    connectionCount += 1
    counters.connectionsAccepted += 1
    schedule(connection)
  }

  private func pauseAccepting(_ reason: StaticString, until instant: Instant?) {
    acceptResumes = instant
    guard !isAcceptPaused else { return }
    isAcceptPaused = true
    counters.acceptsPaused += 1
    if let suppressed = refusals.admits(now: now.instant) {
      log.warning(
        "accept_paused",
        [
          "reason": .text("\(reason)"), "connections": .number(connectionCount),
          "suppressed": .number(suppressed),
        ])
    }
    watchListener([])
  }

  func resumeAccepting() {
    acceptResumes = nil
    guard isAcceptPaused else { return }
    isAcceptPaused = false
    watchListener(.readable)
  }

  private func watchListener(_ events: Poller.Events) {
    guard let raw = listener?.raw else { return }
    do throws(SystemError) {
      try poller.modify(Poller.Token(descriptor: raw, generation: 0), events)
    } catch {
      preconditionFailure("the listener is watched from start to shutdown: \(error)")
    }
  }

  /// The connection has failed, or is cut off: whoever waits for its peer is told.
  func lose(_ connection: Connection) {
    guard !connection.isClosed else { return }
    counters.connectionsLost += 1
    // Of a request that still waits the application is told when it has been handed over.
    let isOwed = connection.conversation.phase == .handling && !handOver.isWaiting(connection)
    if connection.conversation.phase == .answering, connection.wantsReceipt {
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

  /// The peer gets the end of our side. With `discarding` it may still be sending: that is thrown
  /// away until it closes too, because closing first would reset it before it has read the answer.
  func drain(_ connection: Connection, discarding: Bool) {
    guard connection.conversation.phase != .draining else { return }
    connection.isDiscarding = discarding
    Socket.shutdownWriting(connection.descriptor)
    connection.sentTotal += 1
    let time = connection.receipts.isEmpty ? times.drain : times.write
    connection.conversation.drain(until: now.instant.after(time))
    guard !closeIfDrained(connection) else { return }
    schedule(connection)
    if connection.conversation.inputEnded {
      unwatch(connection)
    } else {
      updateInterest(connection)
    }
  }

  /// True if there was nothing left to wait for.
  @discardableResult func closeIfDrained(_ connection: Connection) -> Bool {
    guard connection.conversation.phase == .draining, connection.receipts.isEmpty,
      connection.conversation.inputEnded || !connection.isDiscarding
    else { return false }
    close(connection)
    return true
  }

  func close(_ connection: Connection) {
    guard !connection.isClosed else { return }
    connection.isClosed = true
    deadlines.remove(UInt32(connection.descriptor))
    connections[Int(connection.descriptor)] = nil
    connectionCount -= 1
    if !handOver.isWaiting(connection) { releaseBody(connection) }
    countAnswer(connection, 0)
    countHead(connection, 0)
    Socket.close(connection.descriptor)
    if isAcceptPaused { resumeAccepting() }
  }
}
