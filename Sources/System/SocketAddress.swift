import CLinux
import Glibc

/// An internet address and port, of a listener or of a peer.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  /// The sixteen bytes of IPv6, or the four of IPv4 in the last bytes of `low`.
  package let high: UInt64
  package let low: UInt64
  package let port: UInt16
  package let isIPv6: Bool

  package init(ipv4 address: UInt32, port: UInt16) {
    high = 0
    low = UInt64(address)
    self.port = port
    isIPv6 = false
  }

  package init(ipv6 high: UInt64, _ low: UInt64, port: UInt16) {
    self.high = high
    self.low = low
    self.port = port
    isIPv6 = true
  }

  /// Reads `127.0.0.1:8080`, `[::1]:0` or `localhost:8080`; `nil` for anything else. Host names are
  /// not looked up: a static binary has no resolver.
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let digits = text[text.index(after: colon)...]
    guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = UInt16(digits) else {
      return nil
    }
    let host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      var address = in6_addr()
      guard inet_pton(AF_INET6, String(host.dropFirst().dropLast()), &address) == 1 else {
        return nil
      }
      let (high, low) = SocketAddress.words(of: address)
      self.init(ipv6: high, low, port: port)
    } else {
      var address = in_addr()
      let host = host == "localhost" ? "127.0.0.1" : String(host)
      guard inet_pton(AF_INET, host, &address) == 1 else { return nil }
      self.init(ipv4: UInt32(bigEndian: address.s_addr), port: port)
    }
  }

  /// Whether only this machine can reach the address.
  package var isLoopback: Bool {
    isIPv6 ? high == 0 && low == 1 : low >> 24 == 127
  }

  /// Whether the address stands for every address of the machine, so that nobody can be called
  /// there. `::ffff:0.0.0.0` is the one of IPv4, written in IPv6.
  package var isWildcard: Bool {
    high == 0 && (low == 0 || isIPv6 && low == 0xFFFF_0000_0000)
  }

  /// The address without the port, as it is written in logs.
  package var host: String {
    guard isIPv6 else {
      return "\(low >> 24 & 255).\(low >> 16 & 255).\(low >> 8 & 255).\(low & 255)"
    }
    var bytes = in6_addr()
    withUnsafeMutableBytes(of: &bytes) { bytes in
      bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
      bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    inet_ntop(AF_INET6, &bytes, &text, socklen_t(text.count))
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  package var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// The other end of a connection.
package typealias PeerAddress = SocketAddress

extension SocketAddress {
  /// Reads an address that the kernel wrote. An IPv4 peer of an IPv6 listener (`::ffff:a.b.c.d`,
  /// RFC 4291 §2.5.5.2) becomes IPv4, so that one peer has one address.
  init(_ storage: sockaddr_storage) {
    self = withUnsafeBytes(of: storage) { bytes in
      guard Int32(storage.ss_family) == AF_INET6 else {
        let address = bytes.load(as: sockaddr_in.self)
        return SocketAddress(
          ipv4: UInt32(bigEndian: address.sin_addr.s_addr),
          port: UInt16(bigEndian: address.sin_port))
      }
      let address = bytes.load(as: sockaddr_in6.self)
      let port = UInt16(bigEndian: address.sin6_port)
      let (high, low) = SocketAddress.words(of: address.sin6_addr)
      guard high == 0, low >> 32 == 0xFFFF else {
        return SocketAddress(ipv6: high, low, port: port)
      }
      return SocketAddress(ipv4: UInt32(truncatingIfNeeded: low), port: port)
    }
  }

  /// Calls `body` with the form that `bind` and `connect` take.
  func withSocketAddress<Result>(
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    var storage = sockaddr_storage()
    let length = withUnsafeMutableBytes(of: &storage) { bytes in
      guard isIPv6 else {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(truncatingIfNeeded: low).bigEndian
        bytes.storeBytes(of: address, as: sockaddr_in.self)
        return MemoryLayout<sockaddr_in>.size
      }
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      withUnsafeMutableBytes(of: &address.sin6_addr) { bytes in
        bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
        bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
      }
      bytes.storeBytes(of: address, as: sockaddr_in6.self)
      return MemoryLayout<sockaddr_in6>.size
    }
    return withUnsafePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
    }
  }

  private static func words(of address: in6_addr) -> (UInt64, UInt64) {
    withUnsafeBytes(of: address) { bytes in
      (
        UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
  }
}
