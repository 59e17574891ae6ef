import CLinux
import Glibc

/// A listening TCP socket.
package struct Listener: ~Copyable {
  /// The result of one `accept`.
  package enum Accepted {
    case connection(Int32, SocketAddress)
    /// No connection is waiting.
    case none
    /// The peer gave up before it was accepted, or the network failed: try the next.
    case aborted
    /// Descriptors or memory have run out: the peer stays in the backlog until there are some.
    case exhausted(SystemError)
  }

  private let descriptor: FileDescriptor
  /// The address, with the port that the kernel chose if it was asked to choose.
  package let address: SocketAddress

  /// Limit: Connections that wait to be accepted; the kernel cuts it to `net.core.somaxconn`.
  private static let backlog: Int32 = 4096

  package init(_ wanted: SocketAddress) throws(SystemError) {
    let family = wanted.isIPv6 ? AF_INET6 : AF_INET
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let socket = try FileDescriptor(owning: retrying("socket") { Glibc.socket(family, type, 0) })
    // A restart must not wait for the connections of the last run to leave TIME_WAIT.
    try Socket.set(socket.raw, SOL_SOCKET, SO_REUSEADDR, 1)
    try Listener.setInherited(socket.raw)
    _ = try retrying("bind") { wanted.withSocketAddress { bind(socket.raw, $0, $1) } }
    _ = try retrying("listen") { listen(socket.raw, Listener.backlog) }
    address = try Socket.localAddress(socket.raw)
    descriptor = socket
  }

  package var raw: Int32 { descriptor.raw }

  /// Takes one connection: non-blocking, closed on exec, without Nagle's delay.
  package func accept() -> Accepted {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let (result, code) = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        let result = accept4(descriptor.raw, address, &length, flags)
        return (result, result == -1 ? errno : 0)
      }
    }
    if result >= 0 { return .connection(result, SocketAddress(storage)) }
    return switch code {
    case EAGAIN: .none
    case EMFILE, ENFILE, ENOBUFS, ENOMEM: .exhausted(SystemError(call: "accept4", code: code))
    // accept(2): the network's errors come out here and count like EAGAIN.
    default: .aborted
    }
  }

  /// Linux hands these on from the listener to what it accepts, which saves five calls on each.
  private static func setInherited(_ socket: Int32) throws(SystemError) {
    // Head and body leave in one write: waiting for more would only cost 40 ms.
    try Socket.set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    // A parked poll sends nothing for a minute; a peer that lost its network is found by then.
    try Socket.set(socket, SOL_SOCKET, SO_KEEPALIVE, 1)
    try Socket.set(socket, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 30)
    try Socket.set(socket, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 10)
    try Socket.set(socket, Int32(IPPROTO_TCP), TCP_KEEPCNT, 3)
    // The same for bytes that a lost peer does not acknowledge, which would be retried for 15 min.
    try Socket.set(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, 60_000)
  }
}
