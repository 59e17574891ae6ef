import System
import Wire

/// The relay as a whole: `status`, `audit`.
enum StatusCommands {
  static let all = [
    Command("status", "what the relay holds and how it is", run: status),
    Command(
      "audit", "who did what, the newest first",
      flags: [
        Flag("limit", "COUNT", "lines, at most 500 (default 50)"),
        Flag("after", "ID", "lines older than this one"),
      ], run: audit),
  ]

  private static func status(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    let answer = try line.ask("GET", "/admin/status")
    let source = try line.credential().source
    try line.show(answer) { text($0, url: line.url, credential: source) }
    return .done
  }

  static func text(_ json: JSON, url: String, credential: String) -> String {
    let isReady = json["ready"]?.bool == true
    let reasons = isReady ? "" : " (\(Plain.member(json["reasons"])))"
    var facts = Facts()
    facts.add("relay", "\(Plain.member(json["version"])) at \(url)")
    let age = Plain.age(json["uptime_seconds"])
    facts.add("credential", credential)
    facts.add("state", "\(isReady ? "ready" : "not ready")\(reasons), up \(age)")
    let workspaces = json["workspaces"]
    facts.add(
      "workspaces",
      counts(workspaces, ["active", "removed", "open", "failed"]))
    facts.add("agents", counts(json["agents"], ["online", "offline", "awaiting"]))
    let messages = json["messages"]
    facts.add(
      "messages", counts(messages, ["unanswered", "in_flight", "unreceived", "dead"]))
    facts.add(
      "oldest",
      "unanswered \(Plain.age(messages?["oldest_unanswered_age_seconds"])), "
        + "unreceived \(Plain.age(messages?["oldest_unreceived_age_seconds"]))")
    let disk = json["disk"]
    facts.add(
      "disk",
      "\(Plain.bytes(disk?["free"])) free, sends are refused below "
        + "\(Plain.bytes(disk?["high_water"]))\(disk?["low"]?.bool == true ? ": REFUSED NOW" : "")"
        + (disk?["reserve_held"]?.bool == false ? ", reserve given up" : ""))
    facts.add("barrier", Self.barrier(json["barrier"]))
    facts.add(
      "connections",
      "\(Plain.member(json["connections"])), parked polls \(Plain.member(json["parked_polls"])), "
        + "held callers \(Plain.member(json["held_callers"]))")
    return facts.text
  }

  private static func barrier(_ json: JSON?) -> String {
    guard let json, json.object != nil else { return "none yet" }
    return "\(Plain.member(json["form"])), last \(Plain.milliseconds(json["last_seconds"])), "
      + "passed \(Plain.age(json["last_ok_age_seconds"])) ago"
  }

  /// `3 active, 1 removed`.
  static func counts(_ json: JSON?, _ names: [String]) -> String {
    names.map { "\(Plain.member(json?[$0])) \($0.replacing("_", with: " "))" }
      .joined(separator: ", ")
  }

  private static func audit(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    var query = Query()
    query.add("limit", String(try line.number("limit") ?? 50))
    query.add("after", line.value("after"))
    let answer = try line.ask("GET", "/admin/audit\(query.text)")
    try line.show(answer) { json in
      var table = TextTable([
        .init("ID", isNumber: true), .init("AT"), .init("ACTOR"), .init("ACTION"),
        .init("TARGET"), .init("DETAIL"),
      ])
      for entry in json["entries"]?.array ?? [] {
        table.add(
          ["id", "at", "actor", "action", "target", "detail"].map { Plain.member(entry[$0]) })
      }
      return table.text + Query.more(json)
    }
    return .done
  }
}

/// The query of a request: the part behind its path.
struct Query {
  private var items: [String] = []

  mutating func add(_ name: String, _ value: String?) {
    guard let value else { return }
    items.append("\(name)=\(Self.escape(value))")
  }

  var text: String { items.isEmpty ? "" : "?" + items.joined(separator: "&") }

  /// RFC 3986 §2.3: everything but the unreserved characters.
  static func escape(_ text: String) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      let isPlain =
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
        || (0x61...0x7A).contains(byte) || Array("-._~".utf8).contains(byte)
      if isPlain {
        bytes.append(byte)
      } else {
        let digits = Array("0123456789ABCDEF".utf8)
        bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Returns the last line of a page, which names the next page if there is one.
  static func more(_ json: JSON) -> String {
    guard let next = json["next"], !next.isNull else { return "" }
    return "more: --after \(Plain.member(next))\n"
  }
}
