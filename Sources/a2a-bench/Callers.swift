import System

/// Sends one message after the other and wants each answered as the mode says.
final class Caller: Client {
  enum Mode {
    /// The Task at once, when the message is durable.
    case immediate
    /// The agent's answer.
    case untilAnswered
  }

  private let mode: Mode
  /// Sent in turn.
  private var requests: [NumberedRequest]
  private var next = 0
  private var expected: NumberedText
  private var sentAt: Int64 = 0

  init(
    _ address: SocketAddress, meter: Meter, mode: Mode, requests: [NumberedRequest]
  ) throws(BenchError) {
    self.mode = mode
    self.requests = requests
    expected = NumberedText("answer-")
    try super.init(address, meter: meter)
  }

  override func start() throws(BenchError) {
    let number = meter.nextNumber()
    requests[next].setNumber(number)
    if mode == .untilAnswered { expected.setNumber(number) }
    sentAt = ticks()
    try send(requests[next].bytes)
    next = (next + 1) % requests.count
  }

  private static let result = Array(#""result":"#.utf8)

  override func answered(status: Int, body: borrowing Span<UInt8>) throws(BenchError) {
    let pattern = mode == .immediate ? Self.result : expected.bytes
    guard status == 200, body.find(pattern) != nil else {
      throw unexpected("a send (\(expected.text))", status, body)
    }
    meter.complete(since: sentAt)
    try start()
  }
}

/// A word followed by twelve digits.
struct NumberedText {
  private(set) var bytes: [UInt8]
  private let digitsAt: Int

  init(_ word: String) {
    bytes = Array((word + String(repeating: "0", count: RequestBody.digits)).utf8)
    digitsAt = word.utf8.count
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  mutating func setNumber(_ number: Int) {
    var rest = number
    for place in stride(from: bytes.count - 1, through: digitsAt, by: -1) {
      bytes[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }
}

/// Sends one message whenever it is told to.
final class PacedCaller: Client {
  private(set) var isBusy = false

  private static let result = Array(#""result":"#.utf8)

  func begin(_ request: [UInt8]) throws(BenchError) {
    isBusy = true
    try send(request)
  }

  override func answered(status: Int, body: borrowing Span<UInt8>) throws(BenchError) {
    isBusy = false
    guard status == 200, body.find(Self.result) != nil else {
      throw unexpected("a send", status, body)
    }
  }
}
