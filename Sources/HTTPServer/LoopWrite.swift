import Relay
import System
import Wire

/// How answers go out: head and body in one call.
extension Loop {
  /// Sends what the turn has brought. The connections that become dirty meanwhile wait for the
  /// next.
  func flush() {
    reportLostReceipts()
    guard !dirty.isEmpty else { return }
    let flushed = dirty
    dirty = []
    if now.wall.nanoseconds / 1_000_000_000 != dateSecond {
      dateSecond = now.wall.nanoseconds / 1_000_000_000
      date = HTTPDate.format(secondsSince1970: dateSecond)
    }
    for connection in flushed {
      connection.isDirty = false
      if !connection.isClosed { send(connection) }
    }
  }

  private func send(_ connection: Connection) {
    if let answer = connection.answer {
      connection.answer = nil
      let tail = makeHead(answer, connection)
      let body = hasBody(answer, connection) ? answer.body : []
      if connection.outbox.isEmpty { return sendFirst(connection, body, tail) }
      connection.outbox.append(head: scratch, body: body, tail: tail)
    }
    pump(connection)
  }

  /// Makes the bytes before the body in `scratch`, and returns those after it.
  private func makeHead(_ answer: HTTPResponse, _ connection: Connection) -> [UInt8] {
    scratch.removeAll(keepingCapacity: true)
    guard connection.conversation.isCommitted else {
      let bodyless = answer.status == 204 || answer.status == 304
      HTTPResponseWriter.appendHead(
        status: answer.status, headers: answer.headers,
        body: bodyless ? .none : .length(answer.body.count), minor: connection.conversation.minor,
        keepAlive: connection.conversation.keepsAlive, date: date, to: &scratch)
      return []
    }
    guard connection.conversation.minor > 0 else { return [] }
    guard !answer.body.isEmpty else { return Array("0\r\n\r\n".utf8) }
    scratch.append(contentsOf: String(answer.body.count, radix: 16).utf8)
    scratch.append(contentsOf: "\r\n".utf8)
    return Array("\r\n0\r\n\r\n".utf8)
  }

  private func hasBody(_ answer: HTTPResponse, _ connection: Connection) -> Bool {
    connection.conversation.isCommitted
      || !(connection.conversation.isHead || answer.status == 204 || answer.status == 304)
  }

  /// The usual case: nothing waits, and the kernel takes all of it.
  private func sendFirst(_ connection: Connection, _ body: [UInt8], _ tail: [UInt8]) {
    let total = scratch.count + body.count + tail.count
    switch Socket.send(connection.descriptor, head: scratch, body: body, tail: tail, from: 0) {
    case .bytes(let count):
      connection.sentTotal += count
      if count == total { return sentWhole(connection) }
      connection.outbox.append(head: scratch, body: body, tail: tail, sent: count)
      stall(connection)
    case .wouldBlock:
      connection.outbox.append(head: scratch, body: body, tail: tail)
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
      connection.sentTotal += count
      connection.outbox.advance(count)
      guard connection.outbox.isEmpty else { return stall(connection) }
      if connection.conversation.phase == .answering { sentWhole(connection) }
      if !connection.isClosed { updateInterest(connection) }
    case .wouldBlock: stall(connection)
    case .failed: lose(connection)
    }
  }

  /// The kernel is full: EPOLLOUT tells when it is not, and a peer that reads nothing is cut off.
  private func stall(_ connection: Connection) {
    countAnswer(connection, connection.outbox.pending)
    connection.conversation.stalled(now: now.instant, times: times)
    schedule(connection)
    updateInterest(connection)
  }

  private func sentWhole(_ connection: Connection) {
    countAnswer(connection, 0)
    if connection.wantsReceipt {
      connection.wantsReceipt = false
      awaitReceipt(connection)
    }
    switch connection.conversation.sent(now: now.instant, times: times) {
    case .next:
      schedule(connection)
      if connection.conversation.hasInput {
        if !connection.isReady {
          connection.isReady = true
          ready.append(connection)
        }
      } else if shutdownEnds != nil {
        finish(connection)
      }
    case .close: finish(connection)
    case .drain: drain(connection, discarding: true)
    }
  }

  /// A held request has waited for `keepAlive`: the first time its head goes out, then a space.
  func sendWhitespace(_ connection: Connection) {
    connection.conversation.hold(
      until: now.instant.after(times.keepAlive), limits: httpLimits)
    // A peer that does not read gets no more of it.
    guard connection.sendsWhitespace, connection.outbox.isEmpty else { return }
    var bytes: [UInt8] = []
    if !connection.conversation.isCommitted {
      connection.conversation.commit()
      HTTPResponseWriter.appendHead(
        status: 200, headers: connection.heldHeaders?() ?? [],
        body: HTTPResponseWriter.stream(toMinor: connection.conversation.minor),
        minor: connection.conversation.minor, keepAlive: connection.conversation.keepsAlive,
        date: HTTPDate.format(secondsSince1970: now.wall.nanoseconds / 1_000_000_000),
        to: &bytes)
      connection.heldHeaders = nil
    }
    let body = HTTPResponseWriter.stream(toMinor: connection.conversation.minor)
    HTTPResponseWriter.appendChunk([UInt8(ascii: " ")], as: body, to: &bytes)
    connection.outbox.append(bytes)
    markDirty(connection)
  }
}
