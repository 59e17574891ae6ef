/// The host and port of an authority (RFC 3986 §3.2), spelled so that equal ones are equal.
package struct HostPort: Hashable, Sendable {
  /// The host in lower case, without the dot at the end of a full name; IPv6 in its brackets.
  package let host: String
  package let port: Int?

  /// Reads `name`, `name:8080`, `10.0.0.1` or `[::1]:8080`; `nil` for anything else. A user name
  /// or password is no part of a host.
  package init?(_ text: String) {
    let end: String.Index
    if text.hasPrefix("[") {
      guard let bracket = text.firstIndex(of: "]") else { return nil }
      end = text.index(after: bracket)
    } else {
      end = text.firstIndex(of: ":") ?? text.endIndex
    }
    var host = text[..<end].lowercased()
    if host.hasSuffix("."), !host.hasPrefix("[") { host.removeLast() }
    guard !host.isEmpty, host.utf8.count <= Self.hostBytesMax,
      host.utf8.allSatisfy({ HTTPCharacter.isAuthority($0) }),
      host.hasPrefix("[") || !host.contains(where: { $0 == "[" || $0 == "]" })
    else { return nil }
    self.host = host
    let rest = text[end...]
    guard !rest.isEmpty else {
      port = nil
      return
    }
    let digits = rest.dropFirst()
    guard rest.first == ":", digits.utf8.allSatisfy(HTTPCharacter.isDigit), digits.utf8.count <= 5
    else { return nil }
    // RFC 3986 §3.2.3: an empty port is the default one.
    port = Int(digits)
    if let port, port > 65535 { return nil }
  }

  /// Limit: Bytes of a host name, by RFC 1035 §2.3.4.
  private static let hostBytesMax = 255
}

/// The origin of a web page (RFC 6454 §4): scheme, host and port.
package struct WebOrigin: Equatable, Sendable {
  package let scheme: String
  package let host: String
  package let port: Int

  /// The origin of an `http` or `https` URL; `nil` for anything else, and if there is a user name.
  package init?(url: String) {
    let scheme = url.prefix { $0 != ":" }.lowercased()
    guard scheme == "http" || scheme == "https",
      url.dropFirst(scheme.count).hasPrefix("://"),
      let place = HostPort(String(url.dropFirst(scheme.count + 3).prefix { $0 != "/" }))
    else { return nil }
    self.init(scheme: scheme, place)
  }

  package init(scheme: String, _ place: HostPort) {
    self.scheme = scheme
    host = place.host
    port = place.port ?? (scheme == "https" ? 443 : 80)
  }
}

extension HTTPRequestHead {
  /// The host that the request is for, as it was sent: of the target if that is a whole URL
  /// (RFC 9112 §3.2.2), else of the Host field. `nil`: HTTP/1.0 without any.
  package var requestedHost: String? { authority ?? headers.first("host") }
}
