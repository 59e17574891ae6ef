package import Relay
package import Wire

/// What an operator sets for a workspace; kept as JSON in the registry.
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

  /// What an operator may set, by name.
  package static let names = ["callers", "when_offline", "keep_alive"]

  package init(_ json: JSON) throws(BadSetting) { try change(json) }

  /// The members that there are; the others stay.
  package mutating func change(_ json: JSON) throws(BadSetting) {
    if let value = json["callers"] { callers = try Self.read("callers", value) }
    if let value = json["when_offline"] { whenOffline = try Self.read("when_offline", value) }
    if let value = json["keep_alive"] {
      guard let flag = value.bool else { throw BadSetting("keep_alive: true or false") }
      keepsAlive = flag
    }
  }

  /// As they are kept; a text that this release cannot read counts as no settings.
  package init(ofRow row: RegisteredWorkspace) {
    guard let json = try? JSON(parsing: Array(row.settings.utf8)),
      var settings = try? Settings(json)
    else { return }
    // What no client sets by naming it.
    settings.isPaused = json["paused"]?.bool ?? false
    settings.refusesSends = settings.isPaused && json["sends"]?.string == "refuse"
    settings.cardAt = json["card_at"]?.int.map { WallTime(nanoseconds: Int64($0)) }
    self = settings
  }

  private static func read<Value: RawRepresentable<String> & CaseIterable>(
    _ name: String, _ json: JSON
  ) throws(BadSetting) -> Value {
    if let text = json.string, let value = Value(rawValue: text) { return value }
    let allowed = Value.allCases.map(\.rawValue).joined(separator: ", ")
    throw BadSetting("\(name): allowed are \(allowed)")
  }

  package var json: JSON {
    var json: JSON = [
      "callers": .string(callers.rawValue), "when_offline": .string(whenOffline.rawValue),
      "keep_alive": .bool(keepsAlive),
    ]
    if isPaused { json["paused"] = true }
    if refusesSends { json["sends"] = "refuse" }
    if let cardAt { json["card_at"] = .number(String(cardAt.nanoseconds)) }
    return json
  }
}

package struct BadSetting: Error {
  package let text: String
  init(_ text: String) { self.text = text }
}
