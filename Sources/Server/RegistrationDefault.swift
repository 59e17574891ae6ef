import Engine
import System

extension ServeOptions {
  /// Who may register when nobody has said so: where only this machine comes in, a workspace may be
  /// claimed; elsewhere credentials alone count. A public URL that names another host means that a
  /// proxy stands in front: the whole world then comes from loopback.
  func registration(listening address: SocketAddress) -> RegistrationMode {
    if let registration { return registration }
    guard address.isLoopback, publicURL.map(Self.isLocal) ?? true else { return .closed }
    return .claim
  }

  private static func isLocal(_ url: String) -> Bool {
    let rest = url.drop { $0 != ":" }.dropFirst(3)
    let authority = rest.prefix { $0 != "/" }
    // What stands before an @ is no host, whatever it looks like.
    guard !authority.contains("@") else { return false }
    if authority == "localhost" || authority.hasPrefix("localhost:") { return true }
    let end = authority.hasPrefix("[") ? authority.lastIndex(of: "]") : nil
    let hasPort = authority[(end ?? authority.startIndex)...].contains(":")
    return SocketAddress(hasPort ? String(authority) : authority + ":0")?.isLoopback ?? false
  }
}
