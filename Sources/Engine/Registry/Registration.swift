package import Relay

/// The rule for registering an agent without a bearer.
package enum RegistrationMode: String, Sendable, CaseIterable {
  /// Registers a workspace that an operator made less than an hour ago and that never had a token.
  case claim
  /// Registers as `claim` does, and makes the workspace of an unknown id.
  case open
  /// Registers nobody.
  case closed
}

/// The data that an agent sends when it registers.
package struct Registration: Sendable {
  package var id: WorkspaceID
  /// The agent's name in the card; empty if the card has none.
  package var cardName: String
  package var cardBytes: [UInt8]
  package var url: String
  package var wantsPush: Bool
  /// The sender of the registration, shown in lists and in the audit; never trusted.
  package var origin: TokenOrigin

  package init(
    id: WorkspaceID, cardName: String, cardBytes: [UInt8], url: String, wantsPush: Bool,
    origin: TokenOrigin = TokenOrigin(by: "anonymous")
  ) {
    self.id = id
    self.cardName = cardName
    self.cardBytes = cardBytes
    self.url = url
    self.wantsPush = wantsPush
    self.origin = origin
  }

  /// Returns the audit's text for a registration that issues this token, or none.
  func detail(_ token: NewToken?) -> String {
    var words = token.map { ["token \($0.row.fingerprint)"] } ?? ["card"]
    if !origin.from.isEmpty { words.append("from \(origin.from)") }
    if !origin.via.isEmpty { words.append("via \(origin.via)") }
    return words.joined(separator: " ")
  }
}

/// An operator's changes of a workspace; `nil` members stay as they are.
package struct WorkspaceChange {
  package var name: String?
  /// The new parent; `.some(nil)` makes the workspace a root.
  package var parent: WorkspaceID??
  package var settings: SettingsChange

  package init(name: String?, parent: WorkspaceID??, settings: SettingsChange) {
    self.name = name
    self.parent = parent
    self.settings = settings
  }

  /// The audit's text for the change.
  var detail: String {
    var words = settings.words
    if let name { words.append("name=\(name)") }
    if let parent { words.append("parent_id=\(parent?.text ?? "null")") }
    return words.joined(separator: " ")
  }
}
