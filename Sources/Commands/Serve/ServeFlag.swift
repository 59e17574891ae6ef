import Engine
import Relay
import Server
import System
import Wire

/// One flag of `serve`, and how its value becomes a setting.
struct ServeFlag: Sendable {
  typealias Read = @Sendable (inout ServeOptions, String) throws(CommandFailure) -> Void

  let flag: Flag
  /// Whether a variable of the environment sets it too; the other flags are for one start.
  let hasVariable: Bool
  let read: Read

  private init(
    _ name: String, _ value: String?, _ text: String, hasVariable: Bool = true,
    _ read: @escaping Read
  ) {
    flag = Flag(name, value, text)
    self.hasVariable = hasVariable
    self.read = read
  }

  /// The flags in the order of the help.
  static let all = [
    listen, data, publicURL, allowHost, rootWorkspace, registration, barrier, diskHighWater, log,
    metrics, metricsPerWorkspace, limit, afterRollback, acceptLoss,
  ]

  /// Refuses a value, and says what is allowed and what it was. Without `value` it is not repeated.
  private static func wrong(_ flag: String, _ allowed: String, _ value: String?) -> CommandFailure {
    .usage("--\(flag) must be \(allowed)" + (value.map { "; got \"\(Plain.text($0))\"" } ?? ""))
  }

  private static func choice<Value: RawRepresentable<String>>(
    _ flag: String, _ value: String, _ all: [Value]
  ) throws(CommandFailure) -> Value {
    if let found = Value(rawValue: value) { return found }
    let names = all.map(\.rawValue)
    throw wrong(
      flag, names.dropLast().joined(separator: ", ") + " or " + (names.last ?? ""), value)
  }

  // MARK: where it listens and keeps its data

  private static let listen = ServeFlag(
    "listen", "ADDRESS:PORT", "where to listen; port 0 picks one (default 127.0.0.1:8080)"
  ) { options, value throws(CommandFailure) in
    guard let address = SocketAddress(value) else {
      throw wrong("listen", "ADDRESS:PORT, such as 127.0.0.1:8080 or [::1]:0", value)
    }
    options.listen = address
  }

  private static let data = ServeFlag(
    "data", "DIRECTORY", "where everything is kept (default ./relay-data)"
  ) { options, value throws(CommandFailure) in
    options.data = value
  }

  // MARK: how callers reach it

  private static let publicURL = ServeFlag(
    "public-url", "URL", "how callers reach the relay, if a proxy is in front"
  ) { options, value throws(CommandFailure) in
    guard isBase(value) else {
      throw wrong(
        "public-url",
        "http://HOST or https://HOST, with a port and a path if need be, without query and "
          + "fragment, user name and password; HOST is a name or an address by which callers "
          + "reach the relay",
        // It may hold a password.
        nil)
    }
    options.publicURL = value.hasSuffix("/") ? String(value.dropLast()) : value
  }

  private static let allowHost = ServeFlag(
    "allow-host", "NAME",
    "a further name by which the relay is called, as http://NAME:8080; may be repeated, or a "
      + "list with commas"
  ) { options, value throws(CommandFailure) in
    for name in value.split(separator: ",", omittingEmptySubsequences: false) {
      guard let place = HostPort(String(name)), place.port == nil, !name.hasSuffix(":"),
        isName(place.host)
      else {
        throw wrong(
          "allow-host",
          "a host's name without scheme and port, such as relay.lan; separate several by "
            + "commas", value)
      }
      options.allowedHosts.insert(place.host)
    }
  }

  private static let rootWorkspace = ServeFlag(
    "root-workspace", "ID", "also answers at the host's root, where some clients look for the card"
  ) { options, value throws(CommandFailure) in
    guard let id = WorkspaceID(value) else {
      throw wrong("root-workspace", "the id of a workspace, which is a UUID", value)
    }
    options.rootWorkspace = id
  }

  private static let registration = ServeFlag(
    "registration", "claim|open|closed",
    "who may register without a bearer (default claim on loopback, unless --public-url names "
      + "another host, else closed)"
  ) { options, value throws(CommandFailure) in
    options.registration = try choice("registration", value, RegistrationMode.allCases)
  }

  /// Whether paths can be added to a URL.
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

  /// Whether a host is neither a pattern, such as `*.example.com`, nor percent-encoded.
  private static func isName(_ host: String) -> Bool { !host.contains { "*%@".contains($0) } }

  private static func isWildcard(_ host: String) -> Bool {
    SocketAddress(host + ":0")?.isWildcard ?? false
  }

  // MARK: the disk, the log and the metrics

  private static let barrier = ServeFlag(
    "barrier", "auto|fdatasync", "how rounds are made durable (default auto)"
  ) { options, value throws(CommandFailure) in
    switch value {
    case "auto": options.barrier = .auto
    case "fdatasync": options.barrier = .fdatasync
    default: throw wrong("barrier", "auto or fdatasync", value)
    }
  }

  private static let diskHighWater = ServeFlag(
    "disk-high-water", "BYTES", "free space below which sends are refused (default 268435456)"
  ) { options, value throws(CommandFailure) in
    guard let bytes = Int64(value), bytes >= 0 else {
      throw wrong("disk-high-water", "a number of bytes from 0", value)
    }
    options.limits.diskHighWater = bytes
  }

  private static let log = ServeFlag(
    "log", "text|json", "default text on a terminal, else json"
  ) { options, value throws(CommandFailure) in
    switch value {
    case "text": options.log = .text
    case "json": options.log = .json
    default: throw wrong("log", "text or json", value)
    }
  }

  private static let metrics = ServeFlag(
    "metrics", "closed|open",
    "who may read /metrics: holders of a credential, or everybody (default closed)"
  ) { options, value throws(CommandFailure) in
    options.metrics = try choice("metrics", value, MetricsAccess.allCases)
  }

  private static let metricsPerWorkspace = ServeFlag(
    "metrics-per-workspace", "COUNT",
    "open workspaces that /metrics shows one by one (default 0)"
  ) { options, value throws(CommandFailure) in
    guard let count = Int(value), (0...Limits.workspaceSeriesAskedMax) ~= count else {
      throw wrong(
        "metrics-per-workspace", "a number from 0 to \(Limits.workspaceSeriesAskedMax)", value)
    }
    options.limits.workspaceSeriesMax = count
  }

  // MARK: limits

  static let limit = ServeFlag(
    "limit", "NAME=VALUE",
    "another bound (times in milliseconds); may be repeated, or name several, separated by "
      + "spaces or commas; NAME is one of:"
  ) { options, value throws(CommandFailure) in
    let limits = value.split { $0.isWhitespace || $0 == "," }
    guard !limits.isEmpty else { throw LimitFlag.malformed(value) }
    for limit in limits { try LimitFlag.set(limit, &options) }
  }

  // MARK: one start only

  private static let afterRollback = ServeFlag(
    "after-rollback", nil,
    "the data is an older state (a snapshot, a machine rolled\n"
      + "back): what is unanswered counts as possibly handed out", hasVariable: false
  ) { options, _ throws(CommandFailure) in
    options.isAfterRollback = true
  }

  private static let acceptLoss = ServeFlag(
    acceptLossName, "ID",
    "the file of this workspace is lost: begin with an empty one;\n"
      + "a damaged file is moved to DATA/removed; may be repeated", hasVariable: false
  ) { options, value throws(CommandFailure) in
    guard let id = WorkspaceID(value) else {
      throw wrong(acceptLossName, "the id of a workspace, which is a UUID", value)
    }
    options.acceptedLosses.append(id)
  }

  private static let acceptLossName = "accept-loss"
}
