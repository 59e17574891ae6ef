import Relay
import System
import Wire

/// How bytes become requests, and requests reach the application.
extension Loop {
  /// Takes what has been received as far as it goes: to the application, or until more is needed.
  func advance(_ connection: Connection) {
    while !connection.isClosed {
      switch connection.conversation.next(now: now.instant, times: times) {
      case .wait:
        if shutdownEnds != nil, connection.conversation.phase == .idle { return finish(connection) }
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

  /// Asks the application about a head. False: the answer is there already.
  private func admit(_ head: HTTPRequestHead, _ connection: Connection) -> Bool {
    counters.requests += 1
    countHead(connection, 0)
    connection.isWatched = false
    connection.isReported = false
    connection.sendsWhitespace = false
    switch application.admit(head, ticket: connection.ticket, loop: self) {
    case .refuse(let response):
      refuse(connection, response)
      return false
    case .accept(let bodyMax, let note, let payer):
      connection.note = note
      connection.payer = payer
      guard reserve(head.framing, bodyMax, connection) else {
        refuseForMemory(connection)
        return false
      }
      let isMissing = connection.conversation.bufferedBytes == 0
      let time = payer == .anonymous ? times.anonymousBody : times.body
      connection.conversation.admit(bodyMax: bodyMax, until: now.instant.after(time))
      if head.expectsContinue, isMissing, mayContinue(head.framing, bodyMax) {
        // RFC 9110 §10.1.1: only now that the head alone gives no reason to refuse.
        connection.outbox.append(Loop.continueLine)
        markDirty(connection)
      }
      return true
    }
  }

  private static let continueLine = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

  private func mayContinue(_ framing: HTTPFraming, _ bodyMax: Int) -> Bool {
    if case .length(let length) = framing { length <= bodyMax } else { true }
  }

  /// Counts an announced body before its bytes come; false if it does not fit. Of those who show no
  /// credential only what comes is counted: a word costs them nothing. A body that is larger than
  /// allowed is left to the parser, which refuses it.
  private func reserve(
    _ framing: HTTPFraming, _ bodyMax: Int, _ connection: Connection
  ) -> Bool {
    guard memory.mayAnswer(connection.payer) else { return false }
    guard case .length(let length) = framing, length > 0, length <= bodyMax else { return true }
    guard memory.fits(length, of: connection.payer) else { return false }
    guard connection.payer != .anonymous else { return true }
    connection.bodyBytes = length
    memory.body(length, of: connection.payer)
    return true
  }

  /// A head that is not whole, and a body that was not counted before, are counted as they grow.
  private func account(_ connection: Connection) {
    countHead(connection, connection.conversation.headBytes)
    if connection.conversation.phase == .head, !memory.headsFit {
      return refuseForMemory(connection)
    }
    guard connection.conversation.phase == .body else { return }
    let growth = connection.conversation.bufferedBytes - connection.bodyBytes
    guard growth > 0 else { return }
    let fits = memory.fits(growth, of: connection.payer)
    connection.bodyBytes += growth
    memory.body(growth, of: connection.payer)
    if !fits { refuseForMemory(connection) }
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
    memory.body(body.count - connection.bodyBytes, of: connection.payer)
    connection.bodyBytes = body.count
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
    releaseBody(request.connection)
    memory.body(request.body.count, of: .nobody)
    handOver.bytes += request.body.count
    application.handle(
      request.head, body: request.body, ticket: request.connection.ticket, loop: self, now: now)
  }

  private func refuse(_ connection: Connection, _ response: HTTPResponse) {
    counters.requestsRefused += 1
    connection.conversation.refuse()
    countHead(connection, connection.conversation.headBytes)
    answer(connection, response)
  }

  private func fail(_ connection: Connection, _ failure: HTTPFailure) {
    countHead(connection, 0)
    counters.requestsMalformed += 1
    if let suppressed = refusals.admits(now: now.instant) {
      log.info(
        "request_malformed",
        [
          "reason": .text(failure.reason.rawValue), "peer": .text(connection.peer.host),
          "suppressed": .number(suppressed),
        ])
    }
    var response = HTTPResponse.error(
      failure.status, failure.text, code: failure.reason.rawValue)
    response.closes = true
    answer(connection, response)
  }

  func answer(_ connection: Connection, _ response: HTTPResponse) {
    releaseBody(connection)
    // Counted from the moment it exists: a peer that does not read must not fill the memory.
    countAnswer(connection, response.body.count)
    connection.answer = response
    connection.conversation.answer(closes: response.closes || shutdownEnds != nil)
    markDirty(connection)
  }

  func releaseBody(_ connection: Connection) {
    memory.body(-connection.bodyBytes, of: connection.payer)
    connection.bodyBytes = 0
  }

  /// So many bytes are held of a head that is not whole.
  func countHead(_ connection: Connection, _ bytes: Int) {
    guard bytes != connection.headBytes else { return }
    memory.head(bytes - connection.headBytes)
    connection.headBytes = bytes
  }

  /// So many bytes of the connection's answer have not left.
  func countAnswer(_ connection: Connection, _ bytes: Int) {
    guard bytes != connection.answerBytes else { return }
    memory.answer(bytes - connection.answerBytes, for: connection.payer)
    connection.answerBytes = bytes
  }
}
