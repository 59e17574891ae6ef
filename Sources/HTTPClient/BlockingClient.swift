package import Relay
package import System
import Wire

/// The HTTP client of the commands: one blocking HTTP/1.1 request on a connection of its own.
///
/// It speaks plain HTTP to an address only: a static binary has no resolver, and the proxy ends
/// TLS. Operators on other machines forward a port.
package struct BlockingClient: Sendable {
  package struct Answer: Sendable {
    package var status: Int
    package var body: [UInt8]

    package var isSuccess: Bool { (200...299).contains(status) }
  }

  /// The URL of the command line cannot be called.
  package struct BadURL: Error {
    package var text: String
  }

  /// Nobody accepts the connection, or it ended before the answer did.
  package struct Unreachable: Error {
    package var text: String
  }

  package let address: SocketAddress
  /// The path of the URL without a slash at its end.
  let base: String
  let token: String?
  let limits: Limits

  package init(
    url: String, token: String?, limits: Limits = Limits()
  ) throws(BadURL) {
    guard url.hasPrefix("http://") else {
      let shown = URLUser.isIn(url) ? "the URL" : "\"\(url)\""
      throw BadURL(
        text:
          "\(shown) is not http://ADDRESS:PORT; commands do not speak TLS, so call the relay itself"
      )
    }
    let rest = url.dropFirst(7)
    let host = rest.prefix { $0 != "/" }
    guard !host.contains("@") else {
      throw BadURL(
        text: "the URL has a user name or password in it; name the token by --token-file")
    }
    guard rest.utf8.allSatisfy({ (0x21...0x7E) ~= $0 && $0 != UInt8(ascii: "?") && $0 != 0x23 })
    else {
      throw BadURL(
        text: "\"\(url)\" must be http://ADDRESS:PORT/PATH without a query, fragment or spaces")
    }
    guard let address = SocketAddress(String(host)) ?? SocketAddress(host + ":80") else {
      throw BadURL(
        text: "\"\(host)\" is not ADDRESS:PORT; give the address, names are not looked up")
    }
    if let token, !token.utf8.allSatisfy({ (0x21...0x7E) ~= $0 }) {
      throw BadURL(text: "the token may hold printable ASCII without spaces only; copy it again")
    }
    self.address = address
    let path = rest.dropFirst(host.count)
    base = String(path.hasSuffix("/") ? path.dropLast() : path)
    self.token = token
    self.limits = limits
  }

  /// Sends one request and returns the whole answer.
  /// - Parameter path: A route's path with its query, such as `/admin/status`.
  /// - Throws: `Unreachable` if no whole answer comes within the times of `limits`.
  package func call(
    _ method: String, _ path: String, body: [UInt8]? = nil
  ) throws(Unreachable) -> Answer {
    let socket: Int32
    do throws(SystemError) {
      socket = try Socket.connect(to: address, patience: limits.commandConnectTime)
    } catch {
      throw Unreachable(
        text: "no relay can be reached at \(address): \(ErrorNumber.text(error.code))")
    }
    defer { Socket.close(socket) }
    do throws(SystemError) {
      try Socket.setReadTime(socket, limits.commandAnswerTime)
    } catch {
      throw Unreachable(text: error.description)
    }
    try send(head(method, path, body), body ?? [], to: socket)
    return try answer(from: socket, isHead: method == "HEAD")
  }

  private func head(_ method: String, _ path: String, _ body: [UInt8]?) -> [UInt8] {
    var text = "\(method) \(base)\(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n"
    if let token { text += "Authorization: Bearer \(token)\r\n" }
    if let body {
      text += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n"
    }
    return Array((text + "\r\n").utf8)
  }

  private func send(
    _ head: [UInt8], _ body: [UInt8], to socket: Int32
  ) throws(Unreachable) {
    var sent = 0
    while sent < head.count + body.count {
      switch Socket.send(socket, head: head, body: body, tail: [], from: sent) {
      case .bytes(let count): sent += count
      case .wouldBlock:
        throw Unreachable(
          text:
            "\(address) takes no request within \(limits.commandAnswerTime)"
        )
      // The relay may have refused the request before it read all of it: the answer says why.
      case .failed: return
      }
    }
  }

  private func answer(from socket: Int32, isHead: Bool) throws(Unreachable) -> Answer {
    var parser = HTTPResponseParser(limits: HTTPLimits(), isHead: isHead)
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    var answer = Answer(status: 0, body: [])
    while true {
      switch parser.next() {
      case .interim: continue
      case .head(let head): answer.status = head.status
      case .bodyPart(let part):
        answer.body += part
        guard answer.body.count <= limits.commandAnswerBytesMax else {
          throw Unreachable(
            text:
              "\(address) answers with more than \(limits.commandAnswerBytesMax) bytes: too many"
          )
        }
      case .end: return answer
      case .failure(let failure):
        throw Unreachable(
          text: "\(address) does not speak HTTP as a relay does (\(failure))")
      case .needMore:
        switch Socket.receive(socket, into: &buffer, atMost: buffer.count) {
        case .bytes(let count): parser.receive(buffer.span.extracting(0..<count))
        case .end: parser.peerClosed()
        case .wouldBlock:
          throw Unreachable(
            text: "\(address) has not answered within \(limits.commandAnswerTime)")
        case .failed(let code):
          throw Unreachable(text: "\(address): \(ErrorNumber.text(code))")
        }
      }
    }
  }
}
