import Relay
import System
import Wire

/// How answers are sent: head and body in one call.
extension Loop {
  /// Sends what the turn has brought. Connections that get something to send meanwhile wait for the
  /// next turn.
  func flush() {
    reportLostReceipts()
    heads.setDate(now)
    for connection in pending.takeSending() {
      connection.pending.remove(.sending)
      if !connection.isClosed { send(connection) }
    }
  }

  private func send(_ connection: Connection) {
    if let answer = connection.outbox.takeAnswer() {
      let tail = heads.make(answer, on: connection.conversation)
      let body = hasBody(answer, connection) ? answer.body : []
      if connection.outbox.isEmpty { return sendFirst(connection, body, tail) }
      connection.outbox.append(head: heads.bytes, body: body, tail: tail)
    }
    pump(connection)
  }

  private func hasBody(_ answer: HTTPResponse, _ connection: Connection) -> Bool {
    connection.conversation.isCommitted
      || !(connection.conversation.isHead || answer.isBodyless)
  }

  /// Sends when nothing waits before it; the kernel usually takes all of it.
  private func sendFirst(_ connection: Connection, _ body: [UInt8], _ tail: [UInt8]) {
    let total = heads.bytes.count + body.count + tail.count
    switch Socket.send(connection.descriptor, head: heads.bytes, body: body, tail: tail, from: 0) {
    case .bytes(let count):
      connection.receipts.kernelTook(count)
      if count == total { return sentWhole(connection) }
      connection.outbox.append(head: heads.bytes, body: body, tail: tail, sent: count)
      stall(connection)
    case .wouldBlock:
      connection.outbox.append(head: heads.bytes, body: body, tail: tail)
      stall(connection)
    case .failed: lose(connection)
    }
  }

  /// Goes on where the kernel stopped.
  private func pump(_ connection: Connection) {
    let outbox = connection.outbox
    guard !outbox.isEmpty else { return updateInterest(connection) }
    let sent = Socket.send(
      connection.descriptor, head: outbox.head, body: outbox.body, tail: outbox.tail,
      from: outbox.sent)
    switch sent {
    case .bytes(let count):
      connection.receipts.kernelTook(count)
      connection.outbox.advance(count)
      guard connection.outbox.isEmpty else { return stall(connection) }
      if connection.conversation.phase == .answering { sentWhole(connection) }
      if !connection.isClosed { updateInterest(connection) }
    case .wouldBlock: stall(connection)
    case .failed: lose(connection)
    }
  }

  /// The kernel takes no more: EPOLLOUT says when it does, and a peer that reads nothing is cut
  /// off.
  private func stall(_ connection: Connection) {
    connection.memory.setAnswer(connection.outbox.pending, in: memory)
    connection.conversation.stalled(now: now.instant, times: limits.times)
    schedule(connection)
    updateInterest(connection)
  }

  private func sentWhole(_ connection: Connection) {
    connection.memory.setAnswer(0, in: memory)
    if connection.receipts.isWanted { awaitReceipt(connection) }
    switch connection.conversation.sent(now: now.instant, times: limits.times) {
    case .next:
      schedule(connection)
      if connection.conversation.hasInput {
        pending.resume(connection)
      } else if shutdown.hasBegun {
        finish(connection)
      }
    case .close: finish(connection)
    case .drain: drain(connection, discarding: true)
    }
  }

  /// A held request has waited for `keepAlive`: the first time its head goes out, then a space.
  func sendWhitespace(_ connection: Connection) {
    connection.conversation.hold(
      until: now.instant.after(limits.times.keepAlive), limits: limits.http)
    // A peer that does not read gets no more of it.
    guard connection.hold.sendsWhitespace, connection.outbox.isEmpty else { return }
    var bytes: [UInt8] = []
    if !connection.conversation.isCommitted {
      connection.conversation.commit()
      bytes = heads.streamed(
        connection.hold.takeHeaders(), on: connection.conversation, now: now)
    }
    let body = HTTPResponseWriter.stream(toMinor: connection.conversation.minor)
    HTTPResponseWriter.appendChunk([UInt8(ascii: " ")], as: body, to: &bytes)
    connection.outbox.append(bytes)
    pending.send(connection)
  }
}
