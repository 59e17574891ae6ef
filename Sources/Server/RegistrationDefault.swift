import Engine
import System

extension ServeOptions {
  /// Returns who may register when no option says so. Where only this machine can connect, anybody
  /// may claim a workspace; elsewhere only credentials count. A public URL that names another host
  /// means that a proxy is in front: then the whole world connects from loopback.
  func registration(listening address: SocketAddress) -> RegistrationMode {
    if let registration { return registration }
    guard address.isLoopback, publicURL.map(Self.isLocal) ?? true else { return .closed }
    return .claim
  }

  private static func isLocal(_ url: String) -> Bool {
    let rest = url.drop { $0 != ":" }.dropFirst(3)
    let authority = rest.prefix { $0 != "/" }
    // The part before an @ is a user name, whatever it looks like.
    guard !authority.contains("@") else { return false }
    if authority == "localhost" || authority.hasPrefix("localhost:") { return true }
    let end = authority.hasPrefix("[") ? authority.lastIndex(of: "]") : nil
    let hasPort = authority[(end ?? authority.startIndex)...].contains(":")
    return SocketAddress(hasPort ? String(authority) : authority + ":0")?.isLoopback ?? false
  }
}
