import Relay
import System
import Wire

/// How bytes become requests, and requests reach the application.
extension Loop {
  /// Takes what has been received as far as it goes: to the application, or until more is needed.
  func advance(_ connection: Connection) {
    while !connection.isClosed {
      switch connection.conversation.next(now: now.instant, times: limits.times) {
      case .wait:
        if shutdown.hasBegun, connection.conversation.phase == .idle { return finish(connection) }
        account(connection)
        return schedule(connection)
      case .close: return finish(connection)
      case .fail(let failure): return fail(connection, failure)
      case .admit(let head):
        guard admit(head, connection) else { return }
      case .handle(let head, let body): return handle(head, body, connection)
      }
    }
  }

  /// Asks the application about a head. Returns false if the answer is there already.
  private func admit(_ head: HTTPRequestHead, _ connection: Connection) -> Bool {
    counters.requests += 1
    connection.memory.setHead(0, in: memory)
    connection.hold = Hold()
    switch application.admit(head, ticket: connection.ticket, loop: self) {
    case .refuse(let response):
      refuse(connection, response)
      return false
    case .accept(let bodyMax, let payer):
      guard
        connection.memory.reserve(head.framing, bodyMax: bodyMax, for: payer, in: memory)
      else {
        refuseForMemory(connection)
        return false
      }
      let isMissing = connection.conversation.bufferedBytes == 0
      let time = payer == .anonymous ? limits.times.anonymousBody : limits.times.body
      connection.conversation.admit(bodyMax: bodyMax, until: now.instant.after(time))
      if head.expectsContinue, isMissing, mayContinue(head.framing, bodyMax) {
        // RFC 9110 §10.1.1: only now that the head alone gives no reason to refuse.
        connection.outbox.append(Loop.continueLine)
        pending.send(connection)
      }
      return true
    }
  }

  private static let continueLine = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

  private func mayContinue(_ framing: HTTPFraming, _ bodyMax: Int) -> Bool {
    if case .length(let length) = framing { length <= bodyMax } else { true }
  }

  /// A head that is not whole, and a body that was not counted before, are counted as they grow.
  private func account(_ connection: Connection) {
    countHead(connection)
    switch connection.conversation.phase {
    case .head: if !memory.headsFit { refuseForMemory(connection) }
    case .body:
      let received = connection.conversation.bufferedBytes
      if !connection.memory.bodyGrows(to: received, in: memory) { refuseForMemory(connection) }
    default: break
    }
  }

  private func countHead(_ connection: Connection) {
    connection.memory.setHead(connection.conversation.headBytes, in: memory)
  }

  private func refuseForMemory(_ connection: Connection) {
    counters.bodiesRefusedForMemory += 1
    var response = HTTPResponse.error(
      503, "too many bodies are in memory; try again", code: "memory_full")
    response.headers.append(("Retry-After", "1"))
    refuse(connection, response)
  }

  private func handle(_ head: HTTPRequestHead, _ body: [UInt8], _ connection: Connection) {
    let request = HandOver.Request(head: head, body: body, connection: connection)
    guard body.count > Limits.readBytesMax else { return give(request) }
    // It stays counted as its payer's, even when the connection ends.
    connection.memory.setBody(body.count, in: memory)
    handOver.append(request)
  }

  func handOverWaiting(_ count: Int) {
    for _ in 0..<count {
      guard let request = handOver.popFirst() else { return }
      give(request)
      // What was received whole counts, and only its answer is lost.
      if request.connection.isClosed { application.peerGone(request.connection.ticket) }
    }
  }

  private func give(_ request: HandOver.Request) {
    // The application stores what it needs in this turn: the bytes count until its end.
    request.connection.memory.setBody(0, in: memory)
    memory.body(request.body.count, of: .nobody)
    handOver.count(request.body.count)
    application.handle(
      request.head, body: request.body, ticket: request.connection.ticket, loop: self, now: now)
  }

  private func refuse(_ connection: Connection, _ response: HTTPResponse) {
    counters.requestsRefused += 1
    connection.conversation.refuse()
    countHead(connection)
    answer(connection, response)
  }

  private func fail(_ connection: Connection, _ failure: HTTPFailure) {
    connection.memory.setHead(0, in: memory)
    counters.requestsMalformed += 1
    log.malformed(failure, peer: connection.peer, now: now.instant)
    var response = HTTPResponse.error(
      failure.status, failure.text, code: failure.reason.rawValue)
    response.closes = true
    answer(connection, response)
  }

  func answer(_ connection: Connection, _ response: HTTPResponse) {
    connection.memory.setBody(0, in: memory)
    // Counted from the moment it exists: a peer that does not read must not fill the memory.
    connection.memory.setAnswer(response.body.count, in: memory)
    connection.outbox.put(response)
    connection.conversation.answer(closes: response.closes || shutdown.hasBegun)
    pending.send(connection)
  }
}
