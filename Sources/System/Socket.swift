import CLinux
import Glibc

/// The calls on a connected socket, which the caller owns and closes.
package enum Socket {
  package enum Received: Equatable {
    /// This many bytes lie at the start of the buffer.
    case bytes(Int)
    case wouldBlock
    /// The peer sends no more.
    case end
    case failed(Int32)
  }

  package enum Sent: Equatable {
    case bytes(Int)
    case wouldBlock
    case failed(Int32)
  }

  /// Reads up to `most` bytes to the start of `buffer`, which is longer.
  package static func receive(
    _ socket: Int32, into buffer: inout [UInt8], atMost most: Int
  ) -> Received {
    precondition(most > 0 && most <= buffer.count, "a read of nothing looks like the end")
    while true {
      let (count, code) = buffer.withUnsafeMutableBytes { bytes in
        let count = recv(socket, bytes.baseAddress, most, 0)
        return (count, count == -1 ? errno : 0)
      }
      if count > 0 { return .bytes(count) }
      if count == 0 { return .end }
      if code == EAGAIN { return .wouldBlock }
      if code != EINTR { return failed(code) { .failed($0) } }
    }
  }

  /// Sends head, body and tail in one call, from `offset` bytes into the whole of them.
  ///
  /// One call is one segment train: two cost a delayed acknowledgement, 40 ms, with some peers.
  package static func send(
    _ socket: Int32, head: [UInt8], body: [UInt8], tail: [UInt8], from offset: Int
  ) -> Sent {
    while true {
      let (count, code) = head.withUnsafeBytes { head in
        body.withUnsafeBytes { body in
          tail.withUnsafeBytes { tail in
            sendParts(socket, head, body, tail, offset)
          }
        }
      }
      if count >= 0 { return .bytes(count) }
      if code == EAGAIN { return .wouldBlock }
      if code != EINTR { return failed(code) { .failed($0) } }
    }
  }

  /// We send no more; the peer reads the end after all that was sent.
  package static func shutdownWriting(_ socket: Int32) { shutdown(socket, Int32(SHUT_WR)) }

  /// Closes with RST instead of FIN: the peer learns that something was lost.
  package static func reset(_ socket: Int32) {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(
      socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    Glibc.close(socket)
  }

  package static func close(_ socket: Int32) { Glibc.close(socket) }

  /// Bytes that the peer's TCP has not acknowledged (SIOCOUTQ, tcp(7)); `nil` if the
  /// connection has been reset. A FIN of ours counts as one.
  package static func unacknowledged(_ socket: Int32) -> Int? {
    var bytes: Int32 = 0
    return relay_unacknowledged(socket, &bytes) == 0 ? Int(bytes) : nil
  }

  package static func localAddress(_ socket: Int32) throws(SystemError) -> SocketAddress {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    _ = try retrying("getsockname") {
      withUnsafeMutablePointer(to: &storage) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          getsockname(socket, $0, &length)
        }
      }
    }
    return SocketAddress(storage)
  }

  package static func set(
    _ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32
  ) throws(SystemError) {
    var value = value
    _ = try retrying("setsockopt") {
      setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
  }

  /// A blocking connection to `address`; for clients, tests and the load program. With `patience`
  /// it is not waited for longer than that (EINPROGRESS then), nor is the peer to take bytes.
  package static func connect(
    to address: SocketAddress, patience: Duration? = nil
  ) throws(SystemError) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let family = address.isIPv6 ? AF_INET6 : AF_INET
    let socket = try retrying("socket") { Glibc.socket(family, type, 0) }
    do throws(SystemError) {
      if let patience { try setTime(socket, SO_SNDTIMEO, patience) }
      _ = try retrying("connect") {
        address.withSocketAddress { Glibc.connect(socket, $0, $1) }
      }
      try set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    } catch {
      Glibc.close(socket)
      throw error
    }
    return socket
  }

  /// Sets how long a read waits for bytes; after that it returns `wouldBlock`.
  package static func setReadTime(_ socket: Int32, _ time: Duration) throws(SystemError) {
    try setTime(socket, SO_RCVTIMEO, time)
  }

  private static func setTime(
    _ socket: Int32, _ option: Int32, _ time: Duration
  ) throws(SystemError) {
    let parts = time.components
    var value = timeval(
      tv_sec: Int(parts.seconds), tv_usec: Int(parts.attoseconds / 1_000_000_000_000))
    _ = try retrying("setsockopt") {
      setsockopt(
        socket, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<timeval>.size))
    }
  }

  private static func sendParts(
    _ socket: Int32, _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer,
    _ tail: UnsafeRawBufferPointer, _ offset: Int
  ) -> (Int, Int32) {
    var vector: InlineArray<3, iovec> = .init(repeating: iovec())
    var used = 0
    var skip = offset
    func take(_ part: UnsafeRawBufferPointer) {
      if skip >= part.count {
        skip -= part.count
      } else {
        vector[used] = iovec(
          iov_base: UnsafeMutableRawPointer(mutating: part.baseAddress).map { $0 + skip },
          iov_len: part.count - skip)
        used += 1
        skip = 0
      }
    }
    take(head)
    take(body)
    take(tail)
    return withUnsafeMutablePointer(to: &vector) { vector in
      vector.withMemoryRebound(to: iovec.self, capacity: 3) { vector in
        var message = msghdr()
        message.msg_iov = vector
        message.msg_iovlen = used
        let count = sendmsg(socket, &message, Int32(MSG_NOSIGNAL))
        return (count, count == -1 ? errno : 0)
      }
    }
  }

  private static func failed<Result>(_ code: Int32, _ result: (Int32) -> Result) -> Result {
    precondition(code != EBADF && code != EFAULT && code != ENOTSOCK, "a socket after its end")
    return result(code)
  }
}
