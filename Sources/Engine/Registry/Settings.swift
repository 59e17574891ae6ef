package import Relay
import Wire

/// An operator's settings for a workspace, stored as a text in the registry.
package struct Settings: Sendable, Equatable {
  /// The callers that may use `/w/{id}/`: holders of a credential of the relay, or everybody.
  package enum Callers: String, Sendable, CaseIterable { case relay, agent }
  /// The response to a caller whose hold runs out: the Task, or an error (A2A 1.0 §3.2.2,
  /// strictly).
  package enum WhenOffline: String, Sendable, CaseIterable { case task, error }

  package var callers = Callers.relay
  package var whenOffline = WhenOffline.task
  /// Whether held JSON-RPC callers are sent white space.
  package var keepsAlive = true
  /// Whether deliveries are stopped. Only the operations pause and resume set it.
  package var isPaused = false
  /// Whether sends are refused too.
  package var refusesSends = false
  /// The time of the last registration of the agent's card.
  package var cardAt: WallTime?

  package init() {}

  package mutating func change(_ change: SettingsChange) {
    callers = change.callers ?? callers
    whenOffline = change.whenOffline ?? whenOffline
    keepsAlive = change.keepsAlive ?? keepsAlive
  }

  // MARK: stored form

  /// Reads the settings of a row. A text that this release cannot read counts as no settings.
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

  /// The text that the row stores.
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

/// An operator's changes of a workspace's settings; `nil` members stay as they are.
package struct SettingsChange: Sendable {
  package var callers: Settings.Callers?
  package var whenOffline: Settings.WhenOffline?
  package var keepsAlive: Bool?
  /// The audit's text for the change.
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
