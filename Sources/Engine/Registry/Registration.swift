package import Relay

/// Who may register an agent without a bearer.
package enum RegistrationMode: String, Sendable, CaseIterable {
  /// A workspace that an operator made and that never had a token, within an hour of its making.
  case claim
  /// As `claim`, and an unknown id makes the workspace.
  case open
  /// Nobody.
  case closed
}

/// What an agent says of itself when it registers.
package struct Registration: Sendable {
  package var id: WorkspaceID
  /// The name that the card gives the agent; empty if it gives none.
  package var cardName: String
  package var cardBytes: [UInt8]
  package var url: String
  package var wantsPush: Bool
  /// Who registers, for the lists and the audit; never believed.
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

  /// The audit's words for a registration that gives this token, or none.
  func detail(_ token: NewToken?) -> String {
    var words = token.map { ["token \($0.row.fingerprint)"] } ?? ["card"]
    if !origin.from.isEmpty { words.append("from \(origin.from)") }
    if !origin.via.isEmpty { words.append("via \(origin.via)") }
    return words.joined(separator: " ")
  }
}

/// What an operator changes of a workspace; what is `nil` stays.
package struct WorkspaceChange {
  package var name: String?
  /// `.some(nil)`: it becomes a root.
  package var parent: WorkspaceID??
  package var settings: SettingsChange

  package init(name: String?, parent: WorkspaceID??, settings: SettingsChange) {
    self.name = name
    self.parent = parent
    self.settings = settings
  }

  /// The audit's words for the change.
  var detail: String {
    var words = settings.words
    if let name { words.append("name=\(name)") }
    if let parent { words.append("parent_id=\(parent?.text ?? "null")") }
    return words.joined(separator: " ")
  }
}
