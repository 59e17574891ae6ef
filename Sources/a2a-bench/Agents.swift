import System

/// What all requests of an agent to one inbox begin with.
struct Inbox {
  let address: SocketAddress
  let workspace: String
  let token: String

  var authorization: String { "Host: \(address)\r\nAuthorization: Bearer \(token)\r\n" }

  func poll(wait: Int, max: Int, lease: Int? = nil) -> [UInt8] {
    let lease = lease.map { "&lease=\($0)" } ?? ""
    return Array(
      ("GET /workspaces/\(workspace)/inbox?wait=\(wait)&max=\(max)\(lease) HTTP/1.1\r\n"
        + "\(authorization)\r\n").utf8)
  }
}

/// The call that answers an entry.
final class ResultRequest {
  private let start: [UInt8]
  private let fields: [UInt8]
  private var request: [UInt8] = []
  private var answer = NumberedText("answer-")

  init(_ inbox: Inbox) {
    start = Array("POST /workspaces/\(inbox.workspace)/inbox/".utf8)
    fields = Array(
      "/result HTTP/1.1\r\n\(inbox.authorization)Content-Type: application/json\r\n".utf8)
  }

  func bytes(_ entry: Entry, _ body: borrowing Span<UInt8>) -> [UInt8] {
    answer.setNumber(entry.number)
    request.removeAll(keepingCapacity: true)
    request.append(contentsOf: start)
    request.append(body.extracting(entry.id))
    request.append(contentsOf: fields)
    request.append(contentsOf: "X-Relay-Lease: ".utf8)
    request.append(body.extracting(entry.lease))
    let length = 11 + answer.bytes.count
    request.append(contentsOf: "\r\nContent-Length: \(length)\r\n\r\n{\"text\":\"".utf8)
    request.append(contentsOf: answer.bytes)
    request.append(contentsOf: "\"}".utf8)
    return request
  }
}

/// Polls, answers the message, polls again, on one connection.
final class Agent: Client {
  private let poll: [UInt8]
  private let results: ResultRequest
  private var isReporting = false
  private let stopwatch: Stopwatch?

  init(
    _ inbox: Inbox, meter: Meter, wait: Int = 25, stopwatch: Stopwatch? = nil
  ) throws(BenchError) {
    poll = inbox.poll(wait: wait, max: 1)
    results = ResultRequest(inbox)
    self.stopwatch = stopwatch
    try super.init(inbox.address, meter: meter)
  }

  override func start() throws(BenchError) { try send(poll) }

  override func answered(status: Int, body: borrowing Span<UInt8>) throws(BenchError) {
    if isReporting {
      guard status == 200 else { throw unexpected("a result", status, body) }
      isReporting = false
      try send(poll)
    } else if status == 204 {
      try send(poll)
    } else {
      guard status == 200, let entry = Entry(body, from: 0) else {
        throw unexpected("a poll", status, body)
      }
      stopwatch?.arrived(entry.number)
      isReporting = true
      try send(results.bytes(entry, body))
    }
  }
}

/// Takes up to sixteen messages at a time, and answers them in the call that polls for the next.
final class BatchAgent: Client {
  static let max = 16

  private let firstPoll: [UInt8]
  private let head: [UInt8]
  private var calls: [UInt8] = []
  private static let pollNext = Array(#"],"poll":{"wait":25,"max":\#(max)}}"#.utf8)
  private static let failed = Array(#""error":"#.utf8)

  init(_ inbox: Inbox, meter: Meter) throws(BenchError) {
    firstPoll = inbox.poll(wait: 25, max: Self.max)
    head = Array(
      ("POST /workspaces/\(inbox.workspace)/inbox/batch HTTP/1.1\r\n\(inbox.authorization)"
        + "Content-Type: application/json\r\nContent-Length: ").utf8)
    try super.init(inbox.address, meter: meter)
  }

  override func start() throws(BenchError) { try send(firstPoll) }

  override func answered(status: Int, body: borrowing Span<UInt8>) throws(BenchError) {
    guard status == 200 || status == 204, body.find(Self.failed) == nil else {
      throw unexpected("a batch", status, body)
    }
    calls.removeAll(keepingCapacity: true)
    calls.append(contentsOf: #"{"calls":["#.utf8)
    var answer = NumberedText("answer-")
    var from = 0
    while let entry = Entry(body, from: from) {
      if from > 0 { calls.append(UInt8(ascii: ",")) }
      answer.setNumber(entry.number)
      calls.append(contentsOf: #"{"op":"result","message":""#.utf8)
      calls.append(body.extracting(entry.id))
      calls.append(contentsOf: #"","lease":""#.utf8)
      calls.append(body.extracting(entry.lease))
      calls.append(contentsOf: #"","text":""#.utf8)
      calls.append(contentsOf: answer.bytes)
      calls.append(contentsOf: #""}"#.utf8)
      from = entry.lease.upperBound
    }
    if from == 0 { return try send(firstPoll) }
    calls.append(contentsOf: Self.pollNext)
    var request = head
    request.append(contentsOf: "\(calls.count)\r\n\r\n".utf8)
    request.append(contentsOf: calls)
    try send(request)
  }
}

/// What an agent needs of one entry of an inbox.
struct Entry {
  var id: Range<Int>
  var number: Int
  var lease: Range<Int>

  private static let idKey = Array(#""id":""#.utf8)
  private static let question = Array("question-".utf8)
  private static let tokenKey = Array(#""token":""#.utf8)

  /// The first one that begins at or after `from`. Inside the request's text, which is a string,
  /// every quote is escaped: it cannot be taken for a key.
  init?(_ bytes: borrowing Span<UInt8>, from: Int) {
    guard let idAt = bytes.find(Self.idKey, from: from) else { return nil }
    id = (idAt + Self.idKey.count)..<(idAt + Self.idKey.count + 36)
    guard let question = bytes.find(Self.question, from: id.upperBound),
      let number = bytes.number(at: question + Self.question.count),
      let token = bytes.find(Self.tokenKey, from: question)
    else { return nil }
    self.number = number
    let start = token + Self.tokenKey.count
    guard let end = bytes.find(UInt8(ascii: "\""), from: start) else { return nil }
    lease = start..<end
  }
}

/// Times messages from the caller's send to the agent's receipt, in one process by one clock.
final class Stopwatch {
  var isMeasuring = false
  private(set) var samples = Samples(capacity: 4096)
  private(set) var sent = 0
  private var sentAt = [Int64](repeating: 0, count: 4096)

  func send(_ number: Int) {
    if isMeasuring { sent += 1 }
    sentAt[number % sentAt.count] = isMeasuring ? ticks() : 0
  }

  func arrived(_ number: Int) {
    let start = sentAt[number % sentAt.count]
    if start > 0 { samples.add(ticks() - start) }
  }
}
