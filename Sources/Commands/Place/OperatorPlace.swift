import Store
import System

/// Which relay a command means: its data directory and its address.
///
/// The directory is the one named by `--data` or `A2A_RELAY_DATA`, else `./relay-data`, else that
/// of the installed service. The settings of the installed service say where that listens.
package struct OperatorPlace: Sendable {
  /// The paths at which `deploy/install.sh` puts the service's data and settings.
  package struct Installation: Sendable {
    package var data: String
    package var settings: String

    package init(data: String, settings: String) {
      self.data = data
      self.settings = settings
    }

    package static let documented = Installation(
      data: "/var/lib/a2a-relay", settings: "/etc/a2a-relay/environment")
  }

  package static let local = "./relay-data"

  package let data: String
  package let url: String
  /// The directory is the installed service's.
  package let isInstalled: Bool
  /// Whether the directory was found without being named.
  package let isFound: Bool
  /// The relay that is asked may be the one of the directory: its operator's token goes to no other
  /// machine.
  let isHere: Bool
  /// The installed service's own operator's token, if its settings have one.
  let adminToken: String?
  let settings: String

  /// - `data`, `relay`: of the command line.
  package init(
    data: String?, relay: String?, installed: Installation = .documented,
    environment: (String) -> String?
  ) {
    let named = data ?? Self.variable("A2A_RELAY_DATA", environment)
    let found =
      !Files.exists(Self.local) && Files.exists(installed.data) ? installed.data : Self.local
    self.data = named ?? found
    isFound = named == nil
    isInstalled = Self.trimmed(self.data) == installed.data
    let variables = isInstalled ? EnvironmentFile.variables(of: installed.settings) : [:]
    settings = installed.settings
    adminToken = variables["ADMIN_TOKEN"]
    let listener = Self.variable("A2A_RELAY_LISTEN", environment) ?? variables["A2A_RELAY_LISTEN"]
    let own = listener.flatMap(Self.url) ?? "http://127.0.0.1:8080"
    url = relay ?? Self.variable("A2A_RELAY_URL", environment) ?? own
    isHere = url == own || Self.isLoopback(url)
  }

  private static func isLoopback(_ url: String) -> Bool {
    let host = url.dropFirst("http://".count).prefix { $0 != "/" }
    return (SocketAddress(String(host)) ?? SocketAddress(host + ":80"))?.isLoopback ?? false
  }

  private static func url(_ listener: String) -> String? { SocketAddress(listener).flatMap(url) }

  /// An address that stands for all of a machine is asked at its loopback.
  private static func url(_ address: SocketAddress) -> String? {
    let text = "\(address)"
    if text.hasPrefix("0.0.0.0:") { return "http://127.0.0.1:" + text.dropFirst(8) }
    if text.hasPrefix("[::]:") { return "http://[::1]:" + text.dropFirst(5) }
    return "http://" + text
  }

  private static func trimmed(_ path: String) -> String {
    path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  /// An empty variable counts as not set.
  static func variable(_ name: String, _ environment: (String) -> String?) -> String? {
    environment(name).flatMap { $0.isEmpty ? nil : $0 }
  }
}

/// A file of variables as systemd reads it (systemd.exec(5), `EnvironmentFile=`).
enum EnvironmentFile {
  /// Empty when it is not there, or not for this user.
  static func variables(of path: String) -> [String: String] {
    var found: [String: String] = [:]
    let text = SmallFile.text(path).replacing("\\\n", with: "")
    // Of Swift's characters "\r\n" is one.
    for line in text.split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { continue }
      let name = trimmed(parts[0])
      guard let first = name.first, first != "#", first != ";" else { continue }
      let value = unquoted(trimmed(parts[1]))
      if !value.isEmpty { found[String(name)] = value }
    }
    return found
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, " \t\r".contains(last) { text.removeLast() }
    return text
  }

  private static func unquoted(_ text: Substring) -> String {
    if text.count > 1, let quote = text.first, "'\"".contains(quote), text.last == quote {
      let inner = text.dropFirst().dropLast()
      return quote == "'" ? String(inner) : unescaped(inner)
    }
    return unescaped(text)
  }

  private static func unescaped(_ text: Substring) -> String {
    var value = ""
    var isEscaped = false
    for letter in text {
      if letter == "\\", !isEscaped {
        isEscaped = true
      } else {
        value.append(letter)
        isEscaped = false
      }
    }
    return value
  }
}
