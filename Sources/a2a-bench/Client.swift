import System

/// One connection and what is done on it: a request, its response, the next request.
///
/// The socket blocks: a read follows only upon the poller's word, and a request always fits into
/// the empty socket buffer. That saves the reads that find nothing.
class Client {
  let socket: Int32
  let meter: Meter
  /// The beginning of a response whose end has not arrived.
  private var partial: [UInt8] = []

  init(_ address: SocketAddress, meter: Meter) throws(BenchError) {
    socket = try attempt("connect to \(address)") { try Socket.connect(to: address) }
    self.meter = meter
  }

  deinit { Socket.close(socket) }

  /// Sends the first request.
  func start() throws(BenchError) {}

  /// A whole response has arrived.
  func answered(status: Int, body: borrowing Span<UInt8>) throws(BenchError) {}

  final func send(_ request: [UInt8]) throws(BenchError) {
    var sent = 0
    while sent < request.count {
      switch Socket.send(socket, head: request, body: [], tail: [], from: sent) {
      case .bytes(let count): sent += count
      case .wouldBlock: continue
      case .failed(let code): throw .failed("send: errno \(code)")
      }
    }
  }

  final func receive(_ buffer: inout [UInt8]) throws(BenchError) {
    switch Socket.receive(socket, into: &buffer, atMost: buffer.count) {
    case .bytes(let count):
      if partial.isEmpty {
        let span = buffer.span.extracting(0..<count)
        if try !take(span) { partial.append(span) }
      } else {
        partial.append(buffer.span.extracting(0..<count))
        let whole = partial
        partial = []
        if try !take(whole.span) { partial = whole }
      }
    case .wouldBlock: return
    case .end: throw .failed("the relay closed a connection")
    case .failed(let code): throw .failed("receive: errno \(code)")
    }
  }

  /// There is never more than one request on its way, so nothing follows a response.
  private func take(_ bytes: borrowing Span<UInt8>) throws(BenchError) -> Bool {
    guard let frame = ResponseFrame(bytes) else { return false }
    try answered(status: frame.status, body: bytes.extracting(frame.body))
    return true
  }

  final func unexpected(
    _ what: String, _ status: Int, _ body: borrowing Span<UInt8>
  ) -> BenchError {
    .failed("\(what) was answered \(status) \(body.text(0..<min(body.count, 300)))")
  }
}

/// Counts and times what the clients of one measurement do.
final class Meter {
  /// Nothing is counted during the warm-up.
  var isMeasuring = false
  private(set) var completed = 0
  private(set) var samples = Samples(capacity: 1 << 20)
  private var lastNumber = 0
  private var start: Int64 = 0

  /// A number that no message of this measurement has had.
  func nextNumber() -> Int {
    lastNumber += 1
    return lastNumber
  }

  /// Counts from nothing again.
  func restart() {
    completed = 0
    samples = Samples(capacity: 1 << 20)
    start = ticks()
  }

  /// What began before the measurement is counted, but not timed.
  func complete(since sentAt: Int64) {
    guard isMeasuring else { return }
    completed += 1
    if sentAt >= start { samples.add(ticks() - sentAt) }
  }
}
