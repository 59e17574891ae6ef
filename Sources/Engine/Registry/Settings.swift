package import Relay
import Wire

/// What an operator sets for a workspace; kept as a text in the registry.
package struct Settings: Sendable, Equatable {
  /// Who may call at `/w/{id}/`: holders of a credential of the relay, or everybody.
  package enum Callers: String, Sendable, CaseIterable { case relay, agent }
  /// What a caller gets when its hold runs out: the Task, or an error (A2A 1.0 §3.2.2, strictly).
  package enum WhenOffline: String, Sendable, CaseIterable { case task, error }

  package var callers = Callers.relay
  package var whenOffline = WhenOffline.task
  /// White space for held JSON-RPC callers.
  package var keepsAlive = true
  /// Nothing is delivered. Only the operations pause and resume set it.
  package var isPaused = false
  /// Sends are refused as well.
  package var refusesSends = false
  /// When the agent's card was registered last.
  package var cardAt: WallTime?

  package init() {}

  package mutating func change(_ change: SettingsChange) {
    callers = change.callers ?? callers
    whenOffline = change.whenOffline ?? whenOffline
    keepsAlive = change.keepsAlive ?? keepsAlive
  }

  // MARK: as they are kept

  /// Reads what a row keeps; a text that this release cannot read counts as no settings.
  package init(ofRow row: RegisteredWorkspace) {
    guard let stored = StoredSettings(row.settings) else { return }
    let callers = stored["callers"].map { Callers(rawValue: $0) } ?? self.callers
    let whenOffline = stored["when_offline"].map { WhenOffline(rawValue: $0) } ?? self.whenOffline
    guard let callers, let whenOffline else { return }
    self.callers = callers
    self.whenOffline = whenOffline
    keepsAlive = stored[flag: "keep_alive"] ?? keepsAlive
    isPaused = stored[flag: "paused"] ?? false
    refusesSends = isPaused && stored["sends"] == "refuse"
    cardAt = stored[number: "card_at"].map { WallTime(nanoseconds: $0) }
  }

  /// The text that a row keeps.
  var stored: String {
    var stored = StoredSettings()
    stored["callers"] = callers.rawValue
    stored["when_offline"] = whenOffline.rawValue
    stored[flag: "keep_alive"] = keepsAlive
    if isPaused { stored[flag: "paused"] = true }
    if refusesSends { stored["sends"] = "refuse" }
    stored[number: "card_at"] = cardAt?.nanoseconds
    return stored.text
  }
}

/// What an operator changes of a workspace's settings; what is nil stays.
package struct SettingsChange: Sendable {
  package var callers: Settings.Callers?
  package var whenOffline: Settings.WhenOffline?
  package var keepsAlive: Bool?
  /// The audit's words for it.
  package var words: [String]

  package init(
    callers: Settings.Callers? = nil, whenOffline: Settings.WhenOffline? = nil,
    keepsAlive: Bool? = nil, words: [String] = []
  ) {
    self.callers = callers
    self.whenOffline = whenOffline
    self.keepsAlive = keepsAlive
    self.words = words
  }
}
