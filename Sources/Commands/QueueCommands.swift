import Relay
import System
import Wire

/// The commands that show a workspace's queue: `queue`, `messages`, `explain`.
enum QueueCommands {
  static let all = [
    Command("queue ID", "what a workspace's queue holds", run: queue),
    Command(
      "messages ID", "the messages of a workspace",
      flags: [
        Flag(
          "state", "STATE",
          "queued, in_flight, answered, unreceived, dead, expired or cancelled"),
        since, until,
        Flag("limit", "COUNT", "at most 500 (default 50)"),
        Flag("after", "NEXT", "those behind the last page"),
      ], run: messages),
    Command(
      "explain MESSAGE", "everything that ever happened to a message",
      flags: [
        Flag("bodies", nil, "the request and the answer too, without credentials"),
        Flag("workspace", "ID", "which workspace"),
      ], run: explain),
  ]

  static let since = Flag(
    "since", "TIME", "stored at or after: 2026-01-31T23:59:59Z, or 3h ago as 3h")
  static let until = Flag("until", "TIME", "stored before")

  private static func queue(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    let answer = try line.ask("GET", "/workspaces/\(try line.workspace())/queue")
    try line.show(answer) { json in
      var facts = Facts()
      facts.add("workspace", Plain.member(json["workspace"]))
      facts.add("agent", Plain.member(json["agent"]))
      facts.add("paused", Plain.member(json["paused"]))
      facts.add("sends", Plain.member(json["sends"]))
      for count in json["counts"]?.object ?? [] {
        facts.add(count.key.replacing("_", with: " "), Plain.member(count.value))
      }
      let limits = json["limits"]
      facts.add("bytes", "\(Plain.bytes(json["bytes"])) of \(Plain.bytes(limits?["bytes"]))")
      facts.add("messages at most", Plain.member(limits?["messages"]))
      facts.add("oldest unanswered", Plain.age(json["oldest_unanswered_age_seconds"]))
      facts.add("oldest unreceived", Plain.age(json["oldest_unreceived_age_seconds"]))
      facts.add("parked polls", Plain.member(json["parked_polls"]))
      return facts.text
    }
    return .done
  }

  private static func messages(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    var query = Query()
    query.add("state", line.value("state"))
    query.add("since", try time("since", line))
    query.add("until", try time("until", line))
    query.add("limit", String(try line.number("limit") ?? 50))
    query.add("after", line.value("after"))
    let id = try line.workspace()
    let answer = try line.ask("GET", "/workspaces/\(id)/messages\(query.text)")
    let now = Clock.wall().nanoseconds
    try line.show(answer) { table($0, now: now) }
    return .done
  }

  private static func table(_ json: JSON, now: Int64) -> String {
    var table = TextTable([
      .init("MESSAGE"), .init("STATE"), .init("AGE", isNumber: true),
      .init("ATTEMPTS", isNumber: true), .init("BYTES", isNumber: true), .init("METHOD"),
      .init("CALLER"),
    ])
    for message in json["messages"]?.array ?? [] {
      let reason = message["reason"]?.string
      let state = Plain.member(message["state"])
      table.add([
        Plain.member(message["id"]),
        reason == nil || reason == state ? state : "\(state) (\(Plain.text(reason ?? "")))",
        Plain.since(message["enqueued_at"], now: now), Plain.member(message["attempts"]),
        Plain.member(message["bytes"]), Plain.member(message["method"]),
        Plain.member(message["caller"]),
      ])
    }
    return (table.isEmpty ? "no messages\n" : table.text) + Query.more(json)
  }

  /// A time as the relay reads it; `3h` is that long ago.
  static func time(_ flag: String, _ line: Invocation) throws(CommandFailure) -> String? {
    guard let text = line.value(flag) else { return nil }
    if Timestamp.nanoseconds(rfc3339: text) != nil { return text }
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()),
      (0...36_500).contains(count / (86_400 / unit))
    else {
      throw .usage("--\(flag) takes a time as 2026-01-31T23:59:59Z, or 90s, 15m, 3h, 7d ago")
    }
    return Timestamp.rfc3339(
      nanoseconds: Clock.wall().nanoseconds - count * unit * 1_000_000_000)
  }

  // MARK: one message

  /// A message and its workspace: told by the relay, from the id alone.
  static func find(
    _ message: String, _ line: Invocation
  ) throws(CommandFailure) -> [String] {
    if let given = line.value("workspace") { return [try Invocation.workspace(given)] }
    let answer = try line.ask("GET", "/admin/messages/\(message)")
    return (answer.json["workspaces"]?.array ?? []).compactMap(\.string)
  }

  /// Asks each workspace that may have it; nearly always there is one.
  static func ask(
    _ method: String, _ message: String, _ rest: String, _ body: JSON? = nil, _ line: Invocation
  ) throws(CommandFailure) -> Invocation.Answer {
    let workspaces = try find(message, line)
    for workspace in workspaces.dropLast() {
      let path = "/workspaces/\(workspace)/messages/\(message)\(rest)"
      let answer = try line.ask(method, path, body, taking: [404])
      if answer.status != 404 { return answer }
    }
    guard let last = workspaces.last else { throw .refused("there is no such message") }
    return try line.ask(method, "/workspaces/\(last)/messages/\(message)\(rest)", body)
  }

  private static func explain(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    let message = try Invocation.message(line.arguments[0])
    let answer = try ask("GET", message, line.has("bodies") ? "?bodies=1" : "", nil, line)
    try line.show(answer, explanation)
    return .done
  }

  static func explanation(_ json: JSON) -> String {
    var facts = Facts()
    for member in json.object ?? []
    where !["timeline", "request", "answer"].contains(member.key) {
      facts.add(Plain.text(member.key), Plain.member(member.value))
    }
    var text = facts.text + "\n"
    var table = TextTable([.init("AT"), .init("AFTER", isNumber: true), .init("EVENT"), .init("")])
    var last: Int64?
    for event in json["timeline"]?.array ?? [] {
      let at = event["at"]?.string.flatMap { Timestamp.nanoseconds(rfc3339: $0) }
      let gap = at.flatMap { at in last.map { Double(at - $0) / 1_000_000_000 } }
      last = at ?? last
      let rest = (event.object ?? []).filter { $0.key != "at" && $0.key != "event" }
      table.add([
        Plain.member(event["at"]), gap.map { Plain.age(seconds: $0) } ?? "",
        Plain.member(event["event"]),
        rest.map { "\(Plain.text($0.key))=\(Plain.member($0.value))" }.joined(separator: " "),
      ])
    }
    text += table.text
    for name in ["request", "answer"] {
      guard let body = json[name], !body.isNull else { continue }
      let shown = body.string ?? String(decoding: body.bytes, as: UTF8.self)
      text += "\n\(name):\n\(Plain.text(shown))\n"
    }
    return text
  }
}
