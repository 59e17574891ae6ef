package import Engine
package import Relay
package import Wire

/// Reads the settings that operators make for a workspace, and the vitals that agents report.
package enum SettingsReader {
  /// The names of the settings that an operator may make.
  package static let names = ["callers", "when_offline", "keep_alive"]

  /// Reads the settings that are present; absent ones keep their value. Throws `BadSetting` for a
  /// value that is not allowed.
  package static func read(_ json: JSON) throws(BadSetting) -> SettingsChange {
    var change = SettingsChange()
    if let value = json["callers"] { change.callers = try read("callers", value) }
    if let value = json["when_offline"] { change.whenOffline = try read("when_offline", value) }
    if let value = json["keep_alive"] {
      guard let flag = value.bool else { throw BadSetting("keep_alive: true or false") }
      change.keepsAlive = flag
    }
    change.words = (json.object ?? []).filter { names.contains($0.key) }.map {
      "\($0.key)=\(String(decoding: $0.value.bytes, as: UTF8.self))"
    }
    return change
  }

  private static func read<Value: RawRepresentable<String> & CaseIterable>(
    _ name: String, _ json: JSON
  ) throws(BadSetting) -> Value {
    if let text = json.string, let value = Value(rawValue: text) { return value }
    let allowed = Value.allCases.map(\.rawValue).joined(separator: ", ")
    throw BadSetting("\(name): allowed are \(allowed)")
  }

  /// Reads the typed members of a heartbeat. Ignores all others, because a refused heartbeat ends
  /// some agents' loops for good. Throws `BadSetting` for a typed member with another type.
  package static func vitals(_ body: JSON, at time: WallTime) throws(BadSetting) -> Vitals {
    var vitals = Vitals(at: time)
    vitals.activeTasks = try count("active_tasks", body)
    vitals.uptimeSeconds = try count("uptime_seconds", body)
    if case .number(let rate) = body["error_rate"] { vitals.errorRate = rate }
    return vitals
  }

  private static func count(_ name: String, _ body: JSON) throws(BadSetting) -> Int? {
    guard let value = body[name], !value.isNull else { return nil }
    guard let count = value.int else { throw BadSetting("member \"\(name)\" must be an integer") }
    return count
  }
}

/// A setting whose value is not allowed, and why.
package struct BadSetting: Error {
  package let text: String
  init(_ text: String) { self.text = text }
}
