package import System

/// Asks a relay on this machine whether it answers: `GET /health` on a connection of its own.
package enum HealthCheck {
  /// What is wrong; `nil` if it answers 200. Waits as long as the relay lets it.
  package static func failure(at address: SocketAddress) -> String? {
    do throws(SystemError) {
      let socket = try Socket.connect(to: address)
      defer { Socket.close(socket) }
      let request = "GET /health HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\r\n"
      guard send(Array(request.utf8), to: socket) else { return "the connection broke" }
      let answer = line(from: socket)
      return answer.hasPrefix("HTTP/1.1 200 ") ? nil : "answered \"\(answer)\""
    } catch {
      return error.description
    }
  }

  private static func send(_ bytes: [UInt8], to socket: Int32) -> Bool {
    var sent = 0
    while sent < bytes.count {
      guard
        case .bytes(let count) = Socket.send(socket, head: bytes, body: [], tail: [], from: sent)
      else { return false }
      sent += count
    }
    return true
  }

  /// The first line of the answer, or what there is of it.
  private static func line(from socket: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 1024)
    var bytes: [UInt8] = []
    while bytes.count < 1024, !bytes.contains(0x0A) {
      guard case .bytes(let count) = Socket.receive(socket, into: &buffer, atMost: buffer.count)
      else { break }
      bytes += buffer[..<count]
    }
    return String(decoding: bytes.prefix { $0 != 0x0D && $0 != 0x0A }, as: UTF8.self)
  }
}
