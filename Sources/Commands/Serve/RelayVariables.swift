import Server
import System

/// The variables of the environment that mean something to the relay and its commands.
package enum RelayVariables {
  private static let prefix = "A2A_RELAY_"

  /// Returns whether a variable is the relay's, right or misspelt.
  package static func isOurs(_ name: String) -> Bool {
    name == "ADMIN_TOKEN" || name.hasPrefix(prefix)
  }

  /// The variable of a flag of `serve`.
  static func name(ofFlag flag: String) -> String {
    prefix + flag.uppercased().replacing("-", with: "_")
  }

  private static var known: [String] {
    ServeFlag.all.filter(\.hasVariable).map { name(ofFlag: $0.flag.name) }
      + [prefix + "URL", prefix + "TOKEN"]
  }

  /// Returns why the relay refuses to start: a variable has the relay's prefix and is not known. An
  /// unknown setting that is ignored would look as if it were in force.
  package static func refusal(of variables: [String: String]) -> String? {
    for (name, value) in variables.sorted(by: { $0.key < $1.key })
    where name.hasPrefix(prefix) && !known.contains(name) && !isOfService(name, value) {
      #if PLANTS
        if name == prefix + "PLANT" { continue }
      #endif
      return "\(name) in the environment means nothing; \(hint(name))"
    }
    return nil
  }

  /// Kubernetes and container links tell every container of a service named `a2a-relay` where that
  /// is: `A2A_RELAY_SERVICE_HOST`, `A2A_RELAY_PORT_8080_TCP_ADDR`, `A2A_RELAY_PORT=tcp://…`.
  private static func isOfService(_ name: String, _ value: String) -> Bool {
    let words = name.dropFirst(prefix.count).split(separator: "_")
    // The service may have a longer name, as `a2a-relay-metrics`.
    for (index, word) in words.enumerated() {
      let rest = words[(index + 1)...]
      switch word {
      case "SERVICE" where rest.first == "HOST" && rest.count == 1 || rest.first == "PORT":
        return true
      case "PORT" where rest.isEmpty: return value.contains("://")
      case "PORT" where rest.count > 1 && Int(rest.first ?? "") != nil: return true
      default: continue
      }
    }
    return false
  }

  private static func hint(_ name: String) -> String {
    let word = plain(String(name.dropFirst(prefix.count)))
    for flag in ServeFlag.all where !flag.hasVariable && plain(flag.flag.name) == word {
      return "--\(flag.flag.name) is for one start, and stands on the command line"
    }
    if word == "admintoken" { return "use ADMIN_TOKEN" }
    if let limit = LimitFlag.names.first(where: { plain($0) == word }) {
      return "use \(Self.name(ofFlag: "limit"))=\(limit)=VALUE"
    }
    let near = known.map { name in
      (name, EditDistance.between(word, plain(String(name.dropFirst(prefix.count)))))
    }.min { $0.1 < $1.1 }
    if let near, near.1 <= max(2, word.count / 3) { return "did you mean \(near.0)?" }
    return "there are \(known.joined(separator: ", ")) and ADMIN_TOKEN"
  }

  private static func plain(_ name: String) -> String {
    name.lowercased().filter { $0 != "_" && $0 != "-" }
  }
}
