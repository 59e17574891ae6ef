/// The two wire versions of A2A. They differ in method names, spellings and discriminators
/// (A2A 1.0, appendix A.2.1), and one relay speaks both at once.
package enum Dialect: UInt8, Sendable, CaseIterable {
  case v03 = 3
  case v10 = 10

  package var protocolVersion: String {
    switch self {
    case .v03: "0.3.0"
    case .v10: "1.0.0"
    }
  }

  /// The dialect that an `A2A-Version` header or query value asks for; nil when it is neither.
  /// A2A 1.0 §3.6.2: an empty or absent value means 0.3. Patch numbers do not matter (§3.6.1).
  package init?(version: String?) {
    let value = version ?? ""
    if value.isEmpty || value == "0.3" || value.hasPrefix("0.3.") {
      self = .v03
    } else if value == "1.0" || value.hasPrefix("1.0.") {
      self = .v10
    } else {
      return nil
    }
  }
}

/// The author of a message (A2A 1.0 §4.1.5).
package enum A2ARole: UInt8, Sendable, CaseIterable {
  case user, agent

  package func name(in dialect: Dialect) -> String {
    switch (self, dialect) {
    case (.user, .v03): "user"
    case (.agent, .v03): "agent"
    case (.user, .v10): "ROLE_USER"
    case (.agent, .v10): "ROLE_AGENT"
    }
  }

  /// Reads either spelling, and the numbers that 1.0 has for them.
  package init?(name: String) {
    switch name {
    case "user", "ROLE_USER": self = .user
    case "agent", "ROLE_AGENT": self = .agent
    default:
      switch ProtoJSON.integer(name) {
      case 1: self = .user
      case 2: self = .agent
      default: return nil
      }
    }
  }

  /// Reads what the dialect allows.
  init?(name: String, in dialect: Dialect) {
    guard let role = A2ARole(name: name),
      dialect == .v03 ? name == role.name(in: .v03) : name != role.name(in: .v03)
    else { return nil }
    self = role
  }
}
