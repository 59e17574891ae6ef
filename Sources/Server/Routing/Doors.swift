import Engine
import HTTPServer
import Relay
import System
import Wire

/// The names by which a request may call this relay, and the web pages that are its own.
///
/// A browser lets any page send requests to any address, and a page can have its own name point at
/// this machine (DNS rebinding). Neither gets past here without a credential: a name must be one of
/// the relay's, and so must the origin of a page that changes something.
struct Doors {
  private let names: Set<String>
  private let publicOrigin: WebOrigin?
  /// The bytes of the last host that was let in: most requests name the same one.
  private var lastHost: [UInt8] = []

  init(publicURL: String, names: Set<String>) {
    publicOrigin = WebOrigin(url: publicURL)
    self.names = names.union([publicOrigin?.host].compactMap(\.self))
  }

  /// Whether the request's Host is an IP address, `localhost` or one of the relay's names. HTTP/1.0
  /// has requests without any, which no browser sends.
  mutating func isKnownHost(_ head: HTTPRequestHead) -> Bool {
    if head.authority == nil, let host = head.headers.firstBytes("host"), host == lastHost[...] {
      return true
    }
    guard let text = head.requestedHost else { return true }
    guard let place = HostPort(text), Self.isAddress(place.host) || names.contains(place.host)
    else { return false }
    if head.authority == nil { lastHost = Array(text.utf8) }
    return true
  }

  /// `SocketAddress` reads `localhost` as well.
  private static func isAddress(_ host: String) -> Bool { SocketAddress(host + ":0") != nil }

  /// Whether a browser says that a page of another origin has sent the request. RFC 6454 §7.3:
  /// `null` is the origin of whoever does not say; Fetch Metadata says it without a name.
  func isForeign(_ head: HTTPRequestHead) -> Bool {
    for site in head.headers.all("sec-fetch-site") {
      if !["same-origin", "none"].contains(site.lowercased()) { return true }
    }
    guard head.headers.contains("origin") else { return false }
    return !head.headers.all("origin").allSatisfy { isOwn($0, head) }
  }

  /// A proxy in front may speak TLS for the relay, and may give it a Host of its own: the origin is
  /// compared with the Host without regard to the scheme, and with the public URL.
  private func isOwn(_ origin: String, _ head: HTTPRequestHead) -> Bool {
    guard let origin = WebOrigin(url: origin) else { return false }
    if origin == publicOrigin { return true }
    guard let place = head.requestedHost.flatMap({ HostPort($0) }) else { return false }
    return origin == WebOrigin(scheme: origin.scheme, place)
  }
}
