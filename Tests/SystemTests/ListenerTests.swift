import Glibc
import Testing

@testable import System

@Suite struct ListenerTests {
  private func option(_ socket: Int32, _ level: Int32, _ name: Int32) -> Int32 {
    var value: Int32 = -1
    var length = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(socket, level, name, &value, &length)
    return value
  }

  /// Accepts the one connection that is on its way.
  private func accept(_ listener: borrowing Listener) throws -> (Int32, SocketAddress) {
    let poller = try Poller(eventsMax: 1)
    try poller.add(Poller.Token(descriptor: listener.raw, generation: 0), .readable)
    _ = try poller.wait(milliseconds: 20_000)
    guard case .connection(let socket, let peer) = listener.accept() else {
      throw SystemError(call: "accept4", code: EAGAIN)
    }
    return (socket, peer)
  }

  @Test(arguments: [
    SocketAddress(ipv4: 0x7F00_0001, port: 0), SocketAddress(ipv6: 0, 1, port: 0),
  ]) func `port 0 becomes a real one, and the peer is known`(wanted: SocketAddress) throws {
    let listener = try Listener(wanted)
    #expect(listener.address.port != 0)
    #expect(listener.address.host == wanted.host)
    let client = try Socket.connect(to: listener.address)
    defer { Socket.close(client) }
    let (server, peer) = try accept(listener)
    defer { Socket.close(server) }
    #expect(peer == (try Socket.localAddress(client)))
    guard case .none = listener.accept() else {
      Issue.record("nobody else is there")
      return
    }
  }

  @Test func `an IPv4 peer of an IPv6 listener is an IPv4 peer`() throws {
    let listener = try Listener(SocketAddress(ipv6: 0, 0, port: 0))
    let client = try Socket.connect(
      to: SocketAddress(ipv4: 0x7F00_0001, port: listener.address.port))
    defer { Socket.close(client) }
    let (server, peer) = try accept(listener)
    defer { Socket.close(server) }
    #expect(!peer.isIPv6)
    #expect(peer.host == "127.0.0.1")
  }

  @Test func `what is accepted has the options of the listener`() throws {
    let listener = try Listener(SocketAddress(ipv4: 0x7F00_0001, port: 0))
    let client = try Socket.connect(to: listener.address)
    defer { Socket.close(client) }
    let (server, _) = try accept(listener)
    defer { Socket.close(server) }
    let tcp = Int32(IPPROTO_TCP)
    #expect(option(server, tcp, TCP_NODELAY) == 1)
    #expect(option(server, SOL_SOCKET, SO_KEEPALIVE) == 1)
    #expect(option(server, tcp, TCP_KEEPIDLE) == 30)
    #expect(option(server, tcp, TCP_KEEPINTVL) == 10)
    #expect(option(server, tcp, TCP_KEEPCNT) == 3)
    #expect(option(server, tcp, TCP_USER_TIMEOUT) == 60_000)
    #expect(fcntl(server, F_GETFL) & O_NONBLOCK != 0)
    #expect(fcntl(server, F_GETFD) & FD_CLOEXEC != 0)
  }

  @Test func `a port that is taken is an error with its call`() throws {
    let listener = try Listener(SocketAddress(ipv4: 0x7F00_0001, port: 0))
    let address = listener.address
    #expect(throws: SystemError(call: "bind", code: EADDRINUSE)) { _ = try Listener(address) }
  }
}
