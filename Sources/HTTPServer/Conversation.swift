import Relay
import Wire

/// One HTTP/1.1 connection as a pure value: it takes bytes, answers and time, and returns what to
/// do.
///
/// One request is in work at a time. Further requests wait in the parser, because answers are sent
/// in the order of the requests (RFC 9112 §9.3.2).
struct Conversation {
  enum Phase: UInt8 {
    /// Between requests.
    case idle
    /// A request has begun and its head is not whole.
    case head
    /// The head is admitted and the body is not whole.
    case body
    /// The application has the request.
    case handling
    /// The answer is there, and not yet wholly with the kernel.
    case answering
    /// No more requests are read: bytes that come are thrown away until the peer closes.
    case draining
  }

  enum Step {
    case wait
    case admit(HTTPRequestHead)
    case handle(HTTPRequestHead, [UInt8])
    case fail(HTTPFailure)
    /// The peer has ended the connection between requests, or in the middle of one.
    case close
  }

  enum Expiry {
    case none
    case close
    /// The request did not come in time: answer 408 and close.
    case requestTimeout
    /// A held request needs a sign of life.
    case keepAlive
    /// The peer takes no bytes.
    case cutOff
  }

  /// The step after an answer that has been sent whole.
  enum Sequel {
    case next, close, drain
  }

  private(set) var phase = Phase.idle
  /// The instant at which `expired` is to be called; `nil` while the application or the next turn
  /// decides.
  private(set) var deadline: Instant?
  /// The number of requests of this connection so far; part of their tickets.
  private(set) var request: UInt32 = 0
  private(set) var keepsAlive = true
  /// The request's method is HEAD, so the answer has no body.
  private(set) var isHead = false
  /// 0 for an HTTP/1.0 client.
  private(set) var minor = 1
  /// The head of a streamed answer has been made.
  private(set) var isCommitted = false
  /// The peer sends no more (FIN); it may still read.
  var peerHalfClosed = false
  /// The parser has all that the peer will ever send.
  var inputEnded = false

  private var parser: HTTPRequestParser
  private var head: HTTPRequestHead?
  private var isWhole = true

  init(limits: HTTPLimits, now: Instant, times: Times) {
    parser = HTTPRequestParser(limits: limits)
    deadline = now.after(times.idle)
  }

  var bufferedBytes: Int { parser.bufferedBytes }
  /// Bytes held of a head that is not whole, or of requests behind the one in work.
  var headBytes: Int { phase == .body ? 0 : parser.headBytes }
  /// Another request may be there to take without reading first.
  var hasInput: Bool { inputEnded || parser.bufferedBytes > 0 }

  mutating func receive(_ bytes: Span<UInt8>) { parser.receive(bytes) }

  /// Returns the next thing to do with the bytes received.
  mutating func next(now: Instant, times: Times) -> Step {
    guard phase.rawValue <= Phase.body.rawValue else { return .wait }
    switch parser.next() {
    case .needMore:
      if inputEnded { return .close }
      if phase == .idle, !parser.isIdle {
        phase = .head
        deadline = now.after(times.head)
      }
      return .wait
    case .head(let head):
      begin(head)
      return .admit(head)
    case .body(let body):
      guard let head else { preconditionFailure("a body follows its head") }
      self.head = nil
      phase = .handling
      deadline = nil
      isWhole = true
      return .handle(head, body)
    case .failure(let failure):
      failed()
      return .fail(failure)
    }
  }

  private mutating func begin(_ head: HTTPRequestHead) {
    request &+= 1
    keepsAlive = head.keepAlive
    isHead = head.method == "HEAD"
    minor = head.minor
    isCommitted = false
    isWhole = false
    self.head = head
  }

  /// Nothing is known about a request whose head cannot be read, and nothing after it either.
  private mutating func failed() {
    keepsAlive = false
    guard head == nil else { return }
    request &+= 1
    isHead = false
    minor = 1
    isCommitted = false
    isWhole = false
  }

  /// The application wants the body, whose time counts from here.
  mutating func admit(bodyMax: Int, until deadline: Instant) {
    parser.limitBody(to: bodyMax)
    phase = .body
    self.deadline = deadline
  }

  /// The application does not want the body, or there is no room for the rest of the request. The
  /// connection goes on only if there is no body.
  mutating func refuse() {
    if head?.framing == HTTPFraming.none, case .body = parser.next() {
      isWhole = true
      return
    }
    failed()
    keepsAlive = false
    // The peer may still be sending, and none of those bytes are kept.
    parser.abandon(HTTPFailure(.bodyTooLarge))
  }

  /// The request is parked: nothing is due before `deadline`, and empty buffers are freed.
  mutating func hold(until deadline: Instant?, limits: HTTPLimits) {
    self.deadline = deadline
    if parser.isIdle { parser = HTTPRequestParser(limits: limits) }
  }

  /// The head of a streamed answer goes out.
  mutating func commit() {
    isCommitted = true
    if minor == 0 { keepsAlive = false }
  }

  /// The answer has been given; nothing is due until the kernel refuses bytes.
  mutating func answer(closes: Bool) {
    phase = .answering
    deadline = nil
    head = nil
    if closes { keepsAlive = false }
  }

  /// The kernel took some bytes and has no room for the rest.
  mutating func stalled(now: Instant, times: Times) {
    if phase == .answering { deadline = now.after(times.write) }
  }

  /// The kernel has taken the whole answer.
  mutating func sent(now: Instant, times: Times) -> Sequel {
    guard keepsAlive else {
      // RFC 9112 §9.6: closing with bytes unread sends a RST, which can destroy the answer.
      return isWhole && parser.bufferedBytes == 0 ? .close : .drain
    }
    phase = .idle
    deadline = now.after(times.idle)
    return .next
  }

  /// A request that is being received must be whole by then.
  mutating func hasten(to end: Instant) {
    guard phase == .head || phase == .body, let due = deadline, due > end else { return }
    deadline = end
  }

  mutating func drain(until deadline: Instant) {
    phase = .draining
    self.deadline = deadline
  }

  /// Returns what to do when a deadline has come; nothing if it was moved meanwhile.
  func expired(now: Instant) -> Expiry {
    guard let deadline, deadline <= now else { return .none }
    return switch phase {
    case .idle, .draining: .close
    case .head, .body: .requestTimeout
    case .handling: .keepAlive
    case .answering: .cutOff
    }
  }
}
