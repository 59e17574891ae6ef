/// Requests out of the bytes of one connection, however they were cut into pieces.
///
/// Hand in what was read with `receive`, then call `next` until it says `needMore`. Each request
/// gives one `head` and later one `body`, which completes it; the next request may already be
/// buffered. Memory is bounded by the limits and by what the caller reads before it calls `next`.
/// After a `failure` the parser takes nothing more: answer it and close.
package struct HTTPRequestParser: Sendable {
  package enum Step: Equatable, Sendable {
    case needMore
    case head(HTTPRequestHead)
    case body([UInt8])
    case failure(HTTPFailure)
  }

  private enum State {
    case requestLine(blankLines: Int)
    case fields
    case sized(Int)
    case chunked
    case failed(HTTPFailure)
  }

  /// Limit: Empty lines before a request; old clients send one after a body.
  private static let blankLinesMax = 4

  /// Limit: Bytes allocated for a body before any of it has arrived.
  private static let reservedBytesMax = 64 * 1024

  private let limits: HTTPLimits
  private var state = State.requestLine(blankLines: 0)
  private var input = HTTPInput()
  private var line: HTTPRequestLine?
  private var fields: [HTTPHeaders.Field] = []
  private var body: [UInt8] = []
  private var bodyMax: Int
  private var chunks = HTTPChunkedDecoder()

  package init(limits: HTTPLimits) {
    self.limits = limits
    bodyMax = limits.bodyBytesMax
  }

  /// Bytes held: unread ones and the body collected so far.
  package var bufferedBytes: Int { input.count + body.count }

  /// The bytes allocated for an incomplete head, or for data behind a request.
  package var headBytes: Int { input.heldBytes }

  /// Gives back what has come; what comes later is thrown away. Every step is `failure` then.
  package mutating func abandon(_ failure: HTTPFailure) {
    input.removeAll()
    body = []
    fields = []
    state = .failed(failure)
  }

  /// Between requests, with nothing received of the next one.
  package var isIdle: Bool {
    if case .requestLine(0) = state { return input.count == 0 }
    return false
  }

  /// A request has begun and is not complete.
  package var isMidRequest: Bool {
    if case .failed = state { return false }
    return !isIdle
  }

  /// Lowers the limit for the body of the request whose head was handed out last.
  package mutating func limitBody(to bytes: Int) {
    precondition(bytes >= 0, "a body cannot be shorter than nothing")
    bodyMax = min(bytes, limits.bodyBytesMax)
  }

  package mutating func receive(_ bytes: Span<UInt8>) {
    var taken = 0
    switch state {
    case .failed: return
    case .sized(let length) where input.count == 0:
      // The body's bytes go where they will stay, unless earlier ones still wait to be taken.
      taken = min(length - body.count, bytes.count)
      body.append(addingCapacity: taken) { output in
        for index in 0..<taken { output.append(bytes[index]) }
      }
    default: break
    }
    if taken < bytes.count { input.append(bytes, from: taken) }
  }

  package mutating func receive(_ bytes: [UInt8]) { receive(bytes.span) }

  /// Returns the next event of the bytes received so far.
  package mutating func next() -> Step {
    do throws(HTTPFailure) {
      switch state {
      case .requestLine, .fields: return try readHead()
      case .sized(let length): return try readSized(length)
      case .chunked: return try readChunked()
      case .failed(let failure): return .failure(failure)
      }
    } catch {
      abandon(error)
      return .failure(error)
    }
  }

  private mutating func readHead() throws(HTTPFailure) -> Step {
    if case .requestLine(let blankLines) = state {
      guard try readRequestLine(blankLines: blankLines) else { return .needMore }
      state = .fields
    }
    while let field = try nextHeadLine() {
      if field.isEmpty { return .head(try finishHead()) }
      guard fields.count < limits.headersMax else {
        throw HTTPFailure(.tooManyHeaders, limit: limits.headersMax)
      }
      fields.append(try HTTPFieldLine.parse(field, of: input.bytes, base: input.start))
    }
    return .needMore
  }

  /// True once the line is there.
  private mutating func readRequestLine(blankLines: Int) throws(HTTPFailure) -> Bool {
    guard try skipBlankLines(blankLines) else { return false }
    let most = limits.targetBytesMax + HTTPRequestLine.overheadBytesMax
    let tooLong = HTTPFailure(.targetTooLong, limit: limits.targetBytesMax)
    guard let range = try input.nextLine(most: most, else: tooLong) else { return false }
    line = try HTTPRequestLine.parse(range, of: input.bytes, limits: limits)
    return true
  }

  /// RFC 9112 §2.2: empty lines before the request line are ignored, a few of them. True when the
  /// first byte of a request line is there.
  private mutating func skipBlankLines(_ before: Int) throws(HTTPFailure) -> Bool {
    var skipped = before
    while input.count > 0 {
      switch input.bytes[input.start] {
      case HTTPCharacter.carriageReturn:
        guard input.count > 1 else { return false }
        guard input.bytes[input.start + 1] == HTTPCharacter.lineFeed else {
          throw HTTPFailure(.bareLineBreak)
        }
        skipped += 1
        guard skipped <= Self.blankLinesMax else { throw HTTPFailure(.malformedRequestLine) }
        input.skip(2)
        state = .requestLine(blankLines: skipped)
      case HTTPCharacter.lineFeed: throw HTTPFailure(.bareLineBreak)
      case let first where HTTPCharacter.isToken(first): return true
      // A TLS hello or another protocol never sends a line's end; it is refused at once.
      default: throw HTTPFailure(.notHTTP)
      }
    }
    return false
  }

  private mutating func nextHeadLine() throws(HTTPFailure) -> Range<Int>? {
    let left = limits.headBytesMax - (input.lineStart - input.start)
    return try input.nextLine(
      most: left, else: HTTPFailure(.headTooLarge, limit: limits.headBytesMax))
  }

  private mutating func finishHead() throws(HTTPFailure) -> HTTPRequestHead {
    guard let line else { preconditionFailure("fields are read after the request line") }
    let storage = Array(input.bytes[input.start..<input.lineStart])
    let headers = HTTPHeaders(storage: storage, fields: fields)
    let head = try HTTPRequestHead(line: line, headers: headers, limits: limits)
    input.consume()
    self.line = nil
    fields = []
    bodyMax = limits.bodyBytesMax
    switch head.framing {
    case .none: state = .sized(0)
    case .length(let length): state = .sized(length)
    case .chunked:
      state = .chunked
      chunks = HTTPChunkedDecoder()
    }
    return head
  }

  private mutating func readSized(_ length: Int) throws(HTTPFailure) -> Step {
    guard length <= bodyMax else { throw HTTPFailure(.bodyTooLarge, limit: bodyMax) }
    if body.isEmpty && length > 0 { body.reserveCapacity(min(length, Self.reservedBytesMax)) }
    let count = min(length - body.count, input.count)
    if count > 0 { input.move(count, to: &body) }
    return body.count == length ? finishBody() : .needMore
  }

  private mutating func readChunked() throws(HTTPFailure) -> Step {
    let done = try chunks.read(&input, into: &body, bodyMax: bodyMax, limits: limits)
    return done ? finishBody() : .needMore
  }

  private mutating func finishBody() -> Step {
    let complete = body
    body = []
    state = .requestLine(blankLines: 0)
    return .body(complete)
  }
}
