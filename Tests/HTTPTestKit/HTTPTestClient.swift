import Glibc
package import System
package import Wire

/// A blocking client that waits for at most 20 s, and reads with the parser of `Wire`.
package final class HTTPTestClient {
  package enum Failure: Error, Equatable {
    case timedOut, reset, closed, notServed
    case malformed(HTTPFailure)
  }

  package struct Answer: Equatable {
    package var status = 0
    package var head: HTTPResponseHead?
    package var body: [UInt8] = []
    package var interim: [Int] = []

    package var text: String { String(decoding: body, as: UTF8.self) }
    package func field(_ name: String) -> String? { head?.headers.first(name) }

    package init() {}
  }

  package let socket: Int32
  private var parser = HTTPResponseParser(limits: HTTPLimits())
  private var isOpen = true
  /// Every byte received, also those that were not HTTP.
  package private(set) var received = 0

  package init(to address: SocketAddress, receiveBuffer: Int32? = nil) throws {
    socket = try Socket.connect(to: address)
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    if let receiveBuffer { try Socket.set(socket, SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
  }

  deinit { if isOpen { Socket.close(socket) } }

  package func send(_ text: String) throws { try send(Array(text.utf8)) }

  package func send(_ bytes: [UInt8]) throws { try HTTPTestClient.send(bytes, on: socket) }

  package static func send(_ bytes: [UInt8], on socket: Int32) throws {
    var sent = 0
    while sent < bytes.count {
      switch Socket.send(socket, head: bytes, body: [], tail: [], from: sent) {
      case .bytes(let count): sent += count
      case .wouldBlock: throw Failure.timedOut
      case .failed: throw Failure.reset
      }
    }
  }

  package func get(_ path: String) throws -> Answer {
    try send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
    return try answer()
  }

  package func answer(toHead: Bool = false) throws -> Answer {
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
  package func receive(atMost most: Int = 65_536) throws -> [UInt8] {
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
  package func isClosedByServer() throws -> Bool {
    do { return try receive().isEmpty } catch Failure.reset { return true }
  }

  package func halfClose() { Socket.shutdownWriting(socket) }

  package func reset() {
    isOpen = false
    Socket.reset(socket)
  }

  package func close() {
    isOpen = false
    Socket.close(socket)
  }
}
