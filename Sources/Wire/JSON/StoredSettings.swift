/// A workspace's settings as the registry keeps them: the text of a JSON object.
package struct StoredSettings: Sendable {
  private var json: JSON = [:]

  package init() {}

  /// Returns nil for a text that is no JSON object.
  package init?(_ text: String) {
    guard let json = try? JSON(parsing: Array(text.utf8)), json.object != nil else { return nil }
    self.json = json
  }

  package var text: String { String(decoding: json.bytes, as: UTF8.self) }

  package subscript(name: String) -> String? {
    get { json[name]?.string }
    set { json[name] = newValue.map { .string($0) } }
  }

  package subscript(flag name: String) -> Bool? {
    get { json[name]?.bool }
    set { json[name] = newValue.map { .bool($0) } }
  }

  package subscript(number name: String) -> Int64? {
    get { json[name]?.int.map { Int64($0) } }
    set { json[name] = newValue.map { .number(String($0)) } }
  }
}
