/// What a connection still has to send: head, body and tail as they were made, and how far the
/// kernel has taken them. A large body is never copied.
struct Outbox {
  /// Given by the application, and not made into bytes yet.
  private var answer: HTTPResponse?
  private(set) var head: [UInt8] = []
  private(set) var body: [UInt8] = []
  private(set) var tail: [UInt8] = []
  private(set) var sent = 0

  /// No bytes wait for the kernel.
  var isEmpty: Bool { head.isEmpty && body.isEmpty && tail.isEmpty }
  var pending: Int { head.count + body.count + tail.count - sent }

  mutating func put(_ answer: HTTPResponse) { self.answer = answer }

  mutating func takeAnswer() -> HTTPResponse? { answer.take() }

  /// Bytes that go out before everything that is added later: white space, `100 Continue`.
  mutating func append(_ bytes: [UInt8]) {
    precondition(body.isEmpty && tail.isEmpty, "nothing follows an answer before it is sent")
    head.append(contentsOf: bytes)
  }

  /// An answer of which the kernel has taken the first `sent` bytes.
  mutating func append(head: [UInt8], body: [UInt8], tail: [UInt8], sent: Int = 0) {
    append(head)
    self.body = body
    self.tail = tail
    self.sent += sent
  }

  /// The kernel has taken `count` bytes more. What is sent is given back.
  mutating func advance(_ count: Int) {
    sent += count
    precondition(pending >= 0, "the kernel cannot take more than it was given")
    guard pending == 0 else { return }
    head = []
    body = []
    tail = []
    sent = 0
  }
}
