package import Engine
package import Relay
package import System
import Wire

/// The options of `serve`, from flags and from the environment; a flag wins.
package struct ServeOptions: Sendable {
  package var listen = SocketAddress(ipv4: 0x7F00_0001, port: 8080)
  package var data = "./relay-data"
  package var publicURL: String?
  /// Host names by which callers reach the relay, beside the one in the public URL.
  package private(set) var allowedHosts: Set<String> = []
  package var rootWorkspace: WorkspaceID?
  package var registration: RegistrationMode?
  package var barrier = Barrier.Choice.auto
  package var log: Log.Format?
  package var metrics = MetricsAccess.closed
  package var adminToken: String?
  package var limits = Limits()
  /// The names of the limits that the operator has set.
  package private(set) var asked: Set<String> = []
  /// The data directory holds an older state of a relay that went on after it.
  package private(set) var isAfterRollback = false
  /// Workspaces whose lost files are replaced by empty ones.
  package private(set) var acceptedLosses: [WorkspaceID] = []

  package struct Usage: Error {
    package var text: String
  }

  /// Each flag: its name, what follows it, and what it is for. Also `A2A_RELAY_NAME`.
  package static let flags: [(name: String, value: String, text: String)] = [
    ("listen", "ADDRESS:PORT", "where to listen; port 0 picks one (default 127.0.0.1:8080)"),
    ("data", "DIRECTORY", "where everything is kept (default ./relay-data)"),
    ("public-url", "URL", "how callers reach the relay, if a proxy is in front"),
    (
      "allow-host", "NAME",
      "a further name by which the relay is called, as http://NAME:8080; may be repeated, or a "
        + "list with commas"
    ),
    (
      "root-workspace", "ID",
      "also answers at the host's root, where some clients look for the card"
    ),
    (
      "registration", "claim|open|closed",
      "who may register without a bearer (default claim on loopback, unless --public-url names "
        + "another host, else closed)"
    ),
    ("barrier", "auto|fdatasync", "how rounds are made durable (default auto)"),
    ("disk-high-water", "BYTES", "free space below which sends are refused (default 268435456)"),
    ("log", "text|json", "default text on a terminal, else json"),
    (
      "metrics", "closed|open",
      "who may read /metrics: holders of a credential, or everybody (default closed)"
    ),
    (
      "metrics-per-workspace", "COUNT",
      "open workspaces that /metrics shows one by one (default 0)"
    ),
    (
      "limit", "NAME=VALUE",
      "another bound (times in milliseconds); may be repeated, or name several, separated by "
        + "spaces or commas; NAME is one of:"
    ),
  ]

  /// These flags are for one start; the environment has no variables for them.
  package static let afterRollback = "after-rollback"
  package static let acceptLoss = "accept-loss"

  package init(
    arguments: [String], environment: (String) -> String?
  ) throws(Usage) {
    for flag in Self.flags {
      let name = RelayVariables.name(ofFlag: flag.name)
      guard let value = OperatorPlace.variable(name, environment) else { continue }
      do throws(Usage) { try set(flag.name, value) } catch {
        throw Usage(text: "\(name): \(error.text)")
      }
    }
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" + Self.afterRollback {
        isAfterRollback = true
        continue
      }
      guard argument.hasPrefix("--") else {
        throw Usage(text: "unexpected argument \"\(argument)\"; flags begin with --")
      }
      let parts = argument.dropFirst(2)
        .split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = parts.first.map(String.init) ?? ""
      guard name == Self.acceptLoss || Self.flags.contains(where: { $0.name == name }) else {
        let known = (Self.flags.map(\.name) + [Self.afterRollback, Self.acceptLoss])
          .map { "--" + $0 }.joined(separator: ", ")
        throw Usage(text: "unknown flag \"--\(name)\"; there are \(known)")
      }
      guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
        throw Usage(text: "--\(name) needs a value")
      }
      try set(name, value)
    }
    if let text = OperatorPlace.variable("ADMIN_TOKEN", environment) {
      do throws(CredentialText.Refusal) {
        adminToken = try CredentialText.parse(Array(text.utf8), of: "ADMIN_TOKEN")
      } catch {
        throw Usage(text: error.text)
      }
    }
  }

  private mutating func set(_ name: String, _ value: String) throws(Usage) {
    switch name {
    case "listen":
      guard let address = SocketAddress(value) else {
        throw Usage(text: "--listen takes ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:0")
      }
      listen = address
    case "data":
      guard !value.isEmpty else { throw Usage(text: "--data takes a directory") }
      data = value
    case "public-url": try setPublicURL(value)
    case "allow-host": try allowHosts(value)
    case "root-workspace":
      guard let id = WorkspaceID(value) else {
        throw Usage(text: "--root-workspace takes a workspace's id, a UUID")
      }
      rootWorkspace = id
    case "registration": registration = try choice(name, value, RegistrationMode.allCases)
    case "barrier":
      guard value == "auto" || value == "fdatasync" else {
        throw Usage(text: "--barrier takes auto or fdatasync")
      }
      barrier = value == "auto" ? .auto : .fdatasync
    case "disk-high-water":
      guard let bytes = Int64(value), bytes >= 0 else {
        throw Usage(text: "--disk-high-water takes a number of bytes")
      }
      limits.diskHighWater = bytes
    case "log":
      guard value == "text" || value == "json" else {
        throw Usage(text: "--log takes text or json")
      }
      log = value == "text" ? .text : .json
    case "metrics": metrics = try choice(name, value, MetricsAccess.allCases)
    case "metrics-per-workspace":
      guard let count = Int(value), (0...Limits.workspaceSeriesAskedMax) ~= count else {
        throw Usage(text: "--\(name) takes a number up to \(Limits.workspaceSeriesAskedMax)")
      }
      limits.workspaceSeriesMax = count
    case "limit":
      let limits = value.split { $0.isWhitespace || $0 == "," }
      guard !limits.isEmpty else { throw Usage(text: Self.limitUsage) }
      for limit in limits { try setLimit(limit) }
    case Self.acceptLoss:
      guard let id = WorkspaceID(value) else {
        throw Usage(text: "--\(name) takes the id of a workspace")
      }
      acceptedLosses.append(id)
    default: preconditionFailure("a flag without a meaning: \(name)")
    }
  }

  private mutating func setPublicURL(_ value: String) throws(Usage) {
    guard Self.isBase(value) else {
      throw Usage(
        text: "--public-url takes http://HOST or https://HOST, with a port and a path if need "
          + "be, without query and fragment, user name and password; HOST is a name or an "
          + "address by which callers reach the relay")
    }
    publicURL = value.hasSuffix("/") ? String(value.dropLast()) : value
  }

  private mutating func allowHosts(_ value: String) throws(Usage) {
    for name in value.split(separator: ",", omittingEmptySubsequences: false) {
      guard let place = HostPort(String(name)), place.port == nil, !name.hasSuffix(":"),
        Self.isName(place.host)
      else {
        throw Usage(
          text: "--allow-host takes a host's name without scheme and port, such as relay.lan; "
            + "separate several by commas")
      }
      allowedHosts.insert(place.host)
    }
  }

  /// Whether paths can be added to the URL.
  private static func isBase(_ url: String) -> Bool {
    guard let scheme = ["http://", "https://"].first(where: { url.hasPrefix($0) }) else {
      return false
    }
    let rest = url.utf8.dropFirst(scheme.utf8.count)
    // Agent cards are public: a user name or password would be published in them.
    guard let host = WebOrigin(url: url)?.host, !isWildcard(host), isName(host) else {
      return false
    }
    return rest.allSatisfy { (0x21...0x7E) ~= $0 && !Array("?#\"\\<>".utf8).contains($0) }
  }

  /// Whether the text is a name: no pattern, as `*.example.com`, and nothing encoded in it.
  private static func isName(_ host: String) -> Bool { !host.contains { "*%@".contains($0) } }

  private static func isWildcard(_ host: String) -> Bool {
    SocketAddress(host + ":0")?.isWildcard ?? false
  }

  /// Checks what depends on several options.
  package func check() throws(Usage) {
    guard publicURL != nil || !listen.isWildcard else {
      throw Usage(
        text: "--listen \(listen) stands for every address of this machine, and agent cards need "
          + "one that callers can reach; name it with --public-url (or A2A_RELAY_PUBLIC_URL), as "
          + "--public-url http://10.0.0.5:\(listen.port), or listen on one address")
    }
    let found = limits.contradictions
    guard found.isEmpty else { throw Usage(text: "--limit: \(found.joined(separator: "; "))") }
  }

  private func choice<Value: RawRepresentable<String>>(
    _ name: String, _ value: String, _ all: [Value]
  ) throws(Usage) -> Value {
    if let found = Value(rawValue: value) { return found }
    throw Usage(
      text: "--\(name) takes \(all.map(\.rawValue).joined(separator: ", "))")
  }

  /// The limits that operators may set, since a big or a small machine needs other ones.
  private static let settable: [(name: String, path: any WritableKeyPath<Limits, Int> & Sendable)] =
    [
      ("queueMessagesMax", \.queueMessagesMax), ("queueBytesMax", \.queueBytesMax),
      ("callerSharePercent", \.callerSharePercent), ("parkedPollsMax", \.parkedPollsMax),
      ("connectionsMax", \.connectionsMax), ("openWorkspacesMax", \.openWorkspacesMax),
      ("interruptedTasksMax", \.interruptedTasksMax), ("attempts", \.attempts),
      ("walPagesIdle", \.walPagesIdle), ("walPagesBusy", \.walPagesBusy),
      ("walPagesMax", \.walPagesMax), ("bodyBytesMax", \.bodyBytesMax),
      ("bodiesInMemoryMax", \.bodiesInMemoryMax), ("cacheBytesMax", \.cacheBytesMax),
      ("unreadSharePercent", \.unreadSharePercent), ("bodySharePercent", \.bodySharePercent),
      ("anonymousSharePercent", \.anonymousSharePercent),
      ("orgSharePercent", \.orgSharePercent), ("headSharePercent", \.headSharePercent),
      ("workspacesPerOrgMax", \.workspacesPerOrgMax),
      ("cardsPerOrgBytesMax", \.cardsPerOrgBytesMax), ("cardsBytesMax", \.cardsBytesMax),
      ("anonymousBodyBytesMax", \.anonymousBodyBytesMax),
      ("keptBytesMax", \.keptBytesMax), ("keptMessagesMax", \.keptMessagesMax),
      ("unreadBytesMax", \.unreadBytesMax), ("unreadMessagesMax", \.unreadMessagesMax),
    ]

  /// The same for times, in milliseconds.
  private static let settableTimes:
    [(name: String, path: any WritableKeyPath<Limits, Duration> & Sendable)] = [
      ("hold", \.hold), ("offer", \.offer), ("lease", \.lease), ("keepAlive", \.keepAlive),
      ("restartGrace", \.restartGrace), ("backOffFirst", \.backOffFirst),
      ("backOffMax", \.backOffMax), ("timeToLive", \.timeToLive),
      ("removedKeep", \.removedKeep), ("headTime", \.headTime),
      ("bodyTime", \.bodyTime), ("anonymousBodyTime", \.anonymousBodyTime),
      ("idleTime", \.idleTime), ("writeTime", \.writeTime),
      ("retention", \.retention), ("idempotencyWindow", \.idempotencyWindow),
      ("shutdownTime", \.shutdownTime), ("shutdownRequestTime", \.shutdownRequestTime),
    ]

  /// What `--limit` can set.
  package static var limitNames: [String] {
    (settable.map(\.name) + settableTimes.map(\.name)).sorted()
  }

  private static let limitUsage =
    "--limit takes NAME=VALUE, a number above 0 (times in milliseconds)"

  private mutating func setLimit(_ text: Substring) throws(Usage) {
    let parts = text.split(separator: "=", maxSplits: 1)
    // The largest time is then 31 years, and sums of a few stay far from overflowing.
    guard parts.count == 2, let value = Int(parts[1]), (1...1_000_000_000_000) ~= value else {
      throw Usage(text: Self.limitUsage)
    }
    if let found = Self.settable.first(where: { $0.name == parts[0] }) {
      limits[keyPath: found.path] = value
      asked.insert(found.name)
    } else if let found = Self.settableTimes.first(where: { $0.name == parts[0] }) {
      limits[keyPath: found.path] = .milliseconds(value)
      asked.insert(found.name)
    } else {
      let names = Self.limitNames.joined(separator: ", ")
      throw Usage(text: "--limit: there is no \"\(parts[0])\"; use one of \(names)")
    }
  }
}
