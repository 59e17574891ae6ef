import HTTPClient

/// What follows a command: words, and flags of its own.
package struct CommandLineOptions {
  package struct Usage: Error {
    package var text: String
  }

  package private(set) var words: [String] = []
  private var values: [String: String] = [:]
  private var switches: Set<String> = []
  private let environment: (String) -> String?

  /// - `flags`: those that take a value; `switches`: those that do not.
  package init(
    _ arguments: [String], flags: [String], switches: [String] = [],
    environment: @escaping (String) -> String?
  ) throws(Usage) {
    self.environment = environment
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      guard argument.hasPrefix("--") else {
        words.append(argument)
        continue
      }
      let parts = argument.dropFirst(2)
        .split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = parts.first.map(String.init) ?? ""
      if switches.contains(name), parts.count == 1 {
        self.switches.insert(name)
      } else if flags.contains(name) {
        guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
          throw Usage(text: "--\(name) needs a value")
        }
        values[name] = value
      } else {
        let known = (flags + switches).map { "--" + $0 }.joined(separator: ", ")
        throw Usage(text: "unknown flag \"--\(name)\"; there are \(known)")
      }
    }
  }

  /// So many words, or the usage of the command.
  package func expect(_ count: Int, _ usage: String) throws(Usage) {
    guard words.count == count else { throw Usage(text: "usage: a2a-relay " + usage) }
  }

  package subscript(flag: String) -> String? { values[flag] }
  package func has(_ name: String) -> Bool { switches.contains(name) }

  /// The relay that the line means.
  package var place: OperatorPlace {
    OperatorPlace(data: values["data"], relay: relay, environment: environment)
  }

  package var data: String { place.data }

  /// The relay that was named, by flag or environment; who names data means the relay of that.
  package var relay: String? {
    values["relay"]
      ?? (values["data"] == nil ? OperatorPlace.variable("A2A_RELAY_URL", environment) : nil)
  }

  func client() throws -> BlockingClient {
    let place = place
    let credential = try OperatorCredential.find(
      file: values["token-file"], place: place, environment: environment)
    return try BlockingClient(url: place.url, token: credential.secret)
  }
}
