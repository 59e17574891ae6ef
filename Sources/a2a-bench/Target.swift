import Glibc
import Relay
import System
import Wire

/// The relay that one measurement talks to, and the workspaces made in it.
final class Target {
  let address: SocketAddress
  let admin: String
  /// The process, when it was started here: only then its CPU and memory are known.
  let process: RelayProcess?
  /// Different in every measurement, so that no message id is used twice.
  let prefix: String
  private let data: String

  /// - `limits`: what the process gets as `--limit`.
  init(
    _ options: Options, _ scratch: Scratch, limits: [String] = []
  ) throws(BenchError) {
    var random = SystemRandomNumberGenerator()
    let high = random.next()
    let low = random.next()
    let text = UUIDBytes(high: high, low: low).text
    prefix = "bench-" + text.prefix(8)
    data = scratch.sub("relay-" + text.prefix(8))
    if let url = options.url, let admin = options.admin {
      guard let address = httpAddress(url) else {
        throw .usage("--url takes http://ADDRESS:PORT, not \(url)")
      }
      self.address = address
      self.admin = admin
      process = nil
    } else {
      admin = text
      let process = try RelayProcess(
        path: options.relay, data: data, admin: text, limits: limits)
      self.process = process
      address = process.address
    }
  }

  /// Bytes of a workspace's file, without its log.
  func fileBytes(_ inbox: Inbox) throws(BenchError) -> Int64 {
    let path = "\(data)/workspaces/\(inbox.workspace.prefix(2))/\(inbox.workspace).db"
    // Only its length is asked for: opening it would drop the locks of SQLite.
    var status = stat()
    guard stat(path, &status) == 0 else { throw .failed("there is no file \(path)") }
    return Int64(status.st_size)
  }

  func stop() {
    process?.stop()
    Scratch.remove(data)
    Scratch.remove(data + ".log")
  }

  /// Makes a workspace with an agent's token.
  func makeInbox() throws(BenchError) -> Inbox {
    let made = try post(
      "/workspaces", ["name": "bench", "when_offline": "task", "callers": "relay"])
    guard let id = made["id"]?.string else { throw .failed("a workspace without an id") }
    let registered = try post("/registry/register", ["id": .string(id)])
    guard let token = registered["auth_token"]?.string else {
      throw .failed("a registration without a token")
    }
    return Inbox(address: address, workspace: id, token: token)
  }

  func makeInboxes(_ count: Int) throws(BenchError) -> [Inbox] {
    var inboxes: [Inbox] = []
    for _ in 0..<count { inboxes.append(try makeInbox()) }
    return inboxes
  }

  /// A send to that workspace, to be numbered.
  func request(to inbox: Inbox, blocking: Bool) -> NumberedRequest {
    let body = RequestBody.send(prefix: prefix, blocking: blocking)
    let head =
      "POST /w/\(inbox.workspace)/ HTTP/1.1\r\nHost: \(address)\r\nX-Relay-Key: \(admin)\r\n"
      + "Content-Type: application/json\r\nContent-Length: \(body.bytes.count)\r\n\r\n"
    return NumberedRequest(head: Array(head.utf8), body: body)
  }

  private func post(_ path: String, _ value: JSON) throws(BenchError) -> JSON {
    let (status, answer) = try call("POST", path, value.bytes)
    let text = String(decoding: answer, as: UTF8.self)
    guard status == 200 || status == 201 else {
      throw .failed("POST \(path) was answered \(status) \(text)")
    }
    return try attempt("POST \(path): \(text)") { try JSON(parsing: answer) }
  }

  /// The sum of all samples of one family of `/metrics`.
  func metric(_ name: String) throws(BenchError) -> Double {
    let (status, answer) = try call("GET", "/metrics", [])
    let lines = String(decoding: answer, as: UTF8.self).split(separator: "\n")
    let samples = lines.filter { $0.hasPrefix(name + "{") || $0.hasPrefix(name + " ") }
    let values = samples.compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
    guard status == 200, !values.isEmpty, values.count == samples.count else {
      throw .failed("GET /metrics was answered \(status), without a \(name)")
    }
    return values.reduce(0, +)
  }

  /// One call of an operator, on a connection of its own.
  private func call(
    _ method: String, _ path: String, _ body: [UInt8]
  ) throws(BenchError) -> (Int, [UInt8]) {
    let socket = try attempt("connect to \(address)") { try Socket.connect(to: address) }
    defer { Socket.close(socket) }
    let head =
      "\(method) \(path) HTTP/1.1\r\nHost: \(address)\r\nAuthorization: Bearer \(admin)\r\n"
      + "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n"
      + "Connection: close\r\n\r\n"
    guard
      case .bytes = Socket.send(socket, head: Array(head.utf8), body: body, tail: [], from: 0)
    else { throw .failed("\(method) \(path) could not be sent") }
    return try Self.response(socket)
  }

  private static func response(_ socket: Int32) throws(BenchError) -> (Int, [UInt8]) {
    var parser = HTTPResponseParser(limits: HTTPLimits())
    var buffer = [UInt8](repeating: 0, count: 16_384)
    var status = 0
    var body: [UInt8] = []
    while true {
      switch parser.next() {
      case .needMore:
        switch Socket.receive(socket, into: &buffer, atMost: buffer.count) {
        case .bytes(let count): parser.receive(buffer.span.extracting(0..<count))
        case .end: parser.peerClosed()
        case .wouldBlock: continue
        case .failed(let code): throw .failed("receive: errno \(code)")
        }
      case .interim: continue
      case .head(let head): status = head.status
      case .bodyPart(let part): body += part
      case .end: return (status, body)
      case .failure(let failure): throw .failed("not HTTP: \(failure)")
      }
    }
  }
}
