import Glibc
import Testing

@testable import System

/// Two connected sockets; the second does not block.
struct SocketPair: ~Copyable {
  let client: Int32
  let server: Int32

  init() throws {
    let listener = try Listener(SocketAddress(ipv4: 0x7F00_0001, port: 0))
    let connected = try Socket.connect(to: listener.address)
    guard case .connection(let socket, _) = listener.accept() else {
      throw SystemError(call: "accept4", code: EAGAIN)
    }
    client = connected
    server = socket
  }

  deinit {
    Socket.close(client)
    Socket.close(server)
  }
}

@Suite struct SocketTests {
  @Test func `head, body and tail leave as one, from any offset`() throws {
    let pair = try SocketPair()
    let whole = Array("headbodytail".utf8)
    for offset in 0..<whole.count {
      let sent = Socket.send(
        pair.server, head: Array("head".utf8), body: Array("body".utf8), tail: Array("tail".utf8),
        from: offset)
      #expect(sent == .bytes(whole.count - offset))
      var buffer = [UInt8](repeating: 0, count: 64)
      #expect(Socket.receive(pair.client, into: &buffer, atMost: 64) == .bytes(12 - offset))
      #expect(buffer.prefix(12 - offset).elementsEqual(whole[offset...]))
    }
  }

  @Test func `nothing there, the end and a reset are told apart`() throws {
    var buffer = [UInt8](repeating: 0, count: 64)
    do {
      let pair = try SocketPair()
      #expect(Socket.receive(pair.server, into: &buffer, atMost: 64) == .wouldBlock)
      Socket.shutdownWriting(pair.client)
      #expect(Socket.receive(pair.server, into: &buffer, atMost: 64) == .end)
    }
    let listener = try Listener(SocketAddress(ipv4: 0x7F00_0001, port: 0))
    let client = try Socket.connect(to: listener.address)
    guard case .connection(let server, _) = listener.accept() else { return }
    defer { Socket.close(server) }
    Socket.reset(client)
    #expect(Socket.receive(server, into: &buffer, atMost: 64) == .failed(ECONNRESET))
  }

  @Test func `a full socket takes a part and then nothing`() throws {
    let pair = try SocketPair()
    let body = [UInt8](repeating: 0, count: 16 * 1024 * 1024)
    guard case .bytes(let count) = Socket.send(pair.server, head: [], body: body, tail: [], from: 0)
    else {
      Issue.record("nothing was sent")
      return
    }
    #expect(count > 0 && count < body.count)
    #expect((Socket.unacknowledged(pair.server) ?? 0) > 0)
  }

  @Test func `a read of nothing is a bug`() async {
    await #expect(processExitsWith: .failure) {
      var buffer = [UInt8](repeating: 0, count: 64)
      _ = Socket.receive(0, into: &buffer, atMost: 0)
    }
  }
}
