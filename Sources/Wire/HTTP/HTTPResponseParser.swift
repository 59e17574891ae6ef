/// Responses out of the bytes of one connection, for the client's side.
///
/// Each response gives any number of `interim` heads, one `head`, the body in as many `bodyPart`s
/// as it arrives in, and `end`. A body is not collected and so is not limited here: that is up to
/// the caller. Say `expectHead` when the request was HEAD, and `peerClosed` when the connection
/// ended.
package struct HTTPResponseParser: Sendable {
  package enum Step: Equatable, Sendable {
    case needMore
    case interim(HTTPResponseHead)
    case head(HTTPResponseHead)
    case bodyPart([UInt8])
    case end
    case failure(HTTPFailure)
  }

  private enum State {
    case head
    case sized(missing: Int)
    case chunked
    case untilClose
    case ended
    case failed(HTTPFailure)
  }

  private let limits: HTTPLimits
  private var state = State.head
  private var input = HTTPInput()
  private var line: Range<Int>?
  private var fields: [HTTPHeaders.Field] = []
  private var chunks = HTTPChunkedDecoder()
  private var isHead: Bool
  private var isClosed = false

  package init(limits: HTTPLimits, isHead: Bool = false) {
    self.limits = limits
    self.isHead = isHead
  }

  /// Between responses, with nothing received of the next one.
  package var isIdle: Bool {
    if case .head = state { return input.count == 0 }
    return false
  }

  /// The next response answers a HEAD request: it has no body. Only for that one.
  package mutating func expectHead() { isHead = true }

  package mutating func receive(_ bytes: Span<UInt8>) {
    if case .failed = state { return }
    input.append(bytes)
  }

  package mutating func receive(_ bytes: [UInt8]) { receive(bytes.span) }

  /// The peer will send nothing more.
  package mutating func peerClosed() { isClosed = true }

  /// Returns the next event of the bytes received so far.
  package mutating func next() -> Step {
    do throws(HTTPFailure) {
      return try step()
    } catch {
      input.removeAll()
      state = .failed(error)
      return .failure(error)
    }
  }

  private mutating func step() throws(HTTPFailure) -> Step {
    switch state {
    case .head: return try readHead()
    case .sized(let missing): return try readSized(missing)
    case .chunked:
      var part: [UInt8] = []
      if try chunks.read(&input, into: &part, bodyMax: .max, limits: limits) { state = .ended }
      if !part.isEmpty { return .bodyPart(part) }
      if case .ended = state { return finish() }
      return try needMore()
    case .untilClose:
      if input.count > 0 { return .bodyPart(take(input.count)) }
      return isClosed ? finish() : .needMore
    case .ended: return finish()
    case .failed(let failure): return .failure(failure)
    }
  }

  private mutating func readHead() throws(HTTPFailure) -> Step {
    while let range = try nextHeadLine() {
      if line == nil {
        line = (range.lowerBound - input.start)..<(range.upperBound - input.start)
      } else if range.isEmpty {
        return try finishHead()
      } else {
        guard fields.count < limits.headersMax else {
          throw HTTPFailure(.tooManyHeaders, limit: limits.headersMax)
        }
        fields.append(try HTTPFieldLine.parse(range, of: input.bytes, base: input.start))
      }
    }
    return input.count == 0 ? .needMore : try needMore()
  }

  private mutating func nextHeadLine() throws(HTTPFailure) -> Range<Int>? {
    let left = limits.headBytesMax - (input.lineStart - input.start)
    return try input.nextLine(
      most: left, else: HTTPFailure(.headTooLarge, limit: limits.headBytesMax))
  }

  private mutating func finishHead() throws(HTTPFailure) -> Step {
    guard let line else { preconditionFailure("fields are read after the status line") }
    let storage = Array(input.bytes[input.start..<input.lineStart])
    let head = try HTTPResponseHead(line: line, storage: storage, fields: fields, toHEAD: isHead)
    input.consume()
    self.line = nil
    fields = []
    // RFC 9110 §15.2: any number of interim responses come before the one that counts.
    if head.isInterim { return .interim(head) }
    isHead = false
    switch head.body {
    case .none, .length(0): state = .ended
    case .length(let length): state = .sized(missing: length)
    case .chunked:
      state = .chunked
      chunks = HTTPChunkedDecoder()
    case .untilClose: state = .untilClose
    }
    return .head(head)
  }

  private mutating func readSized(_ missing: Int) throws(HTTPFailure) -> Step {
    let count = min(missing, input.count)
    guard count > 0 else { return try needMore() }
    state = count == missing ? .ended : .sized(missing: missing - count)
    return .bodyPart(take(count))
  }

  private mutating func take(_ count: Int) -> [UInt8] {
    var part: [UInt8] = []
    input.move(count, to: &part)
    return part
  }

  private mutating func finish() -> Step {
    state = .head
    return .end
  }

  /// RFC 9112 §8: a message that the connection's end cut short is incomplete.
  private func needMore() throws(HTTPFailure) -> Step {
    if isClosed { throw HTTPFailure(.truncated) }
    return .needMore
  }
}
