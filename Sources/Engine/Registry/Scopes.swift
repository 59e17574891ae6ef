package import Relay

extension RegisteredToken.Scopes {
  /// The scopes with the names that requests and lists use.
  package static let names: [(name: String, scope: RegisteredToken.Scopes)] = [
    ("admin", .admin), ("send", .send), ("read", .read),
  ]
}
