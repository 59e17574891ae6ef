import Glibc
import System
import Wire

@testable import Server

/// A blocking client that waits for at most 20 s, and reads with the parser of `Wire`.
final class HTTPClient {
  enum Failure: Error, Equatable {
    case timedOut, reset, closed, notServed
    case malformed(HTTPFailure)
  }

  struct Answer: Equatable {
    var status = 0
    var head: HTTPResponseHead?
    var body: [UInt8] = []
    var interim: [Int] = []

    var text: String { String(decoding: body, as: UTF8.self) }
    func field(_ name: String) -> String? { head?.headers.first(name) }
  }

  let socket: Int32
  private var parser = HTTPResponseParser(limits: HTTPLimits())
  private var isOpen = true
  /// Every byte received, also those that were not HTTP.
  private(set) var received = 0

  /// A small receive buffer makes the server feel a slow reader early.
  convenience init(_ server: HTTPTestServer, receiveBuffer: Int32? = nil) throws {
    try self.init(to: server.address, receiveBuffer: receiveBuffer)
  }

  init(to address: SocketAddress, receiveBuffer: Int32? = nil) throws {
    socket = try Socket.connect(to: address)
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    if let receiveBuffer { try Socket.set(socket, SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
  }

  deinit { if isOpen { Socket.close(socket) } }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) throws { try HTTPClient.send(bytes, on: socket) }

  static func send(_ bytes: [UInt8], on socket: Int32) throws {
    var sent = 0
    while sent < bytes.count {
      switch Socket.send(socket, head: bytes, body: [], tail: [], from: sent) {
      case .bytes(let count): sent += count
      case .wouldBlock: throw Failure.timedOut
      case .failed: throw Failure.reset
      }
    }
  }

  func get(_ path: String) throws -> Answer {
    try send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
    return try answer()
  }

  func answer(toHead: Bool = false) throws -> Answer {
    if toHead { parser.expectHead() }
    var answer = Answer()
    while true {
      switch parser.next() {
      case .interim(let head): answer.interim.append(head.status)
      case .head(let head):
        answer.status = head.status
        answer.head = head
      case .bodyPart(let bytes): answer.body += bytes
      case .end: return answer
      case .failure(let failure): throw Failure.malformed(failure)
      case .needMore:
        let bytes = try receive()
        if bytes.isEmpty { parser.peerClosed() } else { parser.receive(bytes) }
        if bytes.isEmpty && answer.status == 0 { throw Failure.closed }
      }
    }
  }

  /// What comes next; nothing at the end of the connection.
  func receive(atMost most: Int = 65_536) throws -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: most)
    switch Socket.receive(socket, into: &buffer, atMost: most) {
    case .bytes(let count):
      received += count
      return Array(buffer[..<count])
    case .end: return []
    case .wouldBlock: throw Failure.timedOut
    case .failed: throw Failure.reset
    }
  }

  /// True when the server has closed, by FIN or by RST, and nothing else came.
  func isClosedByServer() throws -> Bool {
    do { return try receive().isEmpty } catch Failure.reset { return true }
  }

  func halfClose() { Socket.shutdownWriting(socket) }

  func reset() {
    isOpen = false
    Socket.reset(socket)
  }

  func close() {
    isOpen = false
    Socket.close(socket)
  }
}
