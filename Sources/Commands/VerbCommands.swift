import Relay
import System
import Wire

/// The commands that change messages: `redrive`, `replay`, `purge`, `cancel`, `pause`, `resume`,
/// `jobs`.
enum VerbCommands {
  static let all = [
    Command(
      "redrive MESSAGE…", "gives dead messages another chance", flags: [workspace],
      notes: "One whose caller was told of its end is replayed: the new message has its own id.",
      run: redrive),
    Command(
      "redrive", "the same for all dead messages of a workspace", flags: [workspace] + many,
      run: redriveMany),
    Command(
      "replay MESSAGE…", "has the agent do ended messages once more, as new ones",
      flags: [workspace], run: replay),
    Command(
      "replay", "the same for all messages of a workspace in these states",
      flags: [workspace, states] + many, run: replayMany),
    Command(
      "purge", "ends or deletes messages of a workspace in these states",
      flags: [
        workspace, states, Flag("in-flight", nil, "those that an agent has, too"),
        Flag("yes", nil, "do it; without it only the count is shown"),
      ] + many,
      notes: "Nothing brings purged messages back.", run: purge),
    Command(
      "cancel MESSAGE", "ends a message that has no end yet", flags: [workspace], run: cancel),
    Command(
      "pause ID", "hands nothing out until resume; leases go on",
      flags: [Flag("refuse", nil, "refuse sends too, which are taken otherwise")], run: pause),
    Command("resume ID", "ends a pause", run: resume),
    Command("jobs ID", "what redrive, replay and purge are doing, or have done", run: jobs),
    Command(
      "jobs ID JOB", "one of them",
      flags: [wait, Flag("stop", nil, "end it where it is")], run: job),
  ]

  private static let workspace = Flag("workspace", "ID", "which workspace")
  private static let states = Flag(
    "state", "STATES", "a list of answered, unreceived, dead, expired, cancelled (purge: queued)")
  private static let wait = Flag("wait", nil, "until it is done, showing how far it is")
  private static let many = [
    QueueCommands.since, QueueCommands.until,
    Flag("rate", "COUNT", "messages a second (default 100)"),
    Flag("dry-run", nil, "count what would be meant, and do nothing"), wait,
  ]

  // MARK: one message

  private static func redrive(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    try each("redrive", line)
  }

  private static func replay(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    try each("replay", line)
  }

  private static func cancel(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    try each("cancel", line)
  }

  /// Asks for each message in turn, and stops at the first refusal.
  private static func each(_ verb: String, _ line: Invocation) throws(CommandFailure) -> ExitStatus
  {
    var messages: [String] = []
    for argument in line.arguments { messages.append(try Invocation.message(argument)) }
    for message in messages {
      try line.show(QueueCommands.ask("POST", message, "/\(verb)", [:], line)) { json in
        let new = json["replay_of"] == nil ? "" : ", as \(Plain.member(json["id"]))"
        return "\(message) \(Plain.member(json["status"]))\(new)\n"
      }
    }
    return .done
  }

  // MARK: many

  private static func redriveMany(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    try start("redrive", ["state": "dead"], line)
  }

  private static func replayMany(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    try start("replay", ["states": try states(line)], line)
  }

  private static func purge(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    var body: JSON = ["states": try states(line)]
    if line.has("in-flight") { body["in_flight"] = true }
    return try start("purge", body, line, isDry: !line.has("yes"))
  }

  private static func states(_ line: Invocation) throws(CommandFailure) -> JSON {
    guard let list = line.value("state") else {
      throw .usage("--state is missing, as --state dead,expired")
    }
    return .array(list.split(separator: ",").map { .string(String($0)) })
  }

  private static func start(
    _ verb: String, _ body: JSON, _ line: Invocation, isDry: Bool = false
  ) throws(CommandFailure) -> ExitStatus {
    guard let text = line.value("workspace") else {
      throw .usage("name messages, or a workspace by --workspace ID")
    }
    let id = try Invocation.workspace(text)
    var body = body
    if let since = try QueueCommands.time("since", line) { body["since"] = .string(since) }
    if let until = try QueueCommands.time("until", line) { body["until"] = .string(until) }
    if let rate = try line.number("rate") { body["rate"] = .number("\(rate)") }
    let isDry = isDry || line.has("dry-run")
    let answer = try line.ask(
      "POST", "/workspaces/\(id)/\(verb)\(isDry ? "?dry_run=1" : "")", body)
    guard !isDry, line.has("wait"), let job = answer.json["job"] else {
      try line.show(answer) { started($0, verb, id, isDry: isDry) }
      return .done
    }
    return try follow("/workspaces/\(id)/jobs/\(Plain.member(job))", line)
  }

  private static func started(
    _ json: JSON, _ verb: String, _ id: String, isDry: Bool
  ) -> String {
    let matched = Plain.member(json["matched"])
    if isDry {
      let states = (json["states"]?.object ?? [])
        .map { "\(Plain.member($0.value)) \(Plain.text($0.key))" }.joined(separator: ", ")
      let next = verb == "purge" ? "; nothing was purged: add --yes" : "; nothing was done"
      return "\(matched) messages are meant\(states.isEmpty ? "" : " (\(states))")\(next)\n"
    }
    let job = Plain.member(json["job"])
    return "job \(job): \(verb) of \(matched) messages, \(Plain.member(json["rate"])) a second\n"
      + "next: a2a-relay jobs \(id) \(job) --wait\n"
  }

  // MARK: jobs

  private static func jobs(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    let answer = try line.ask("GET", "/workspaces/\(try line.workspace())/jobs")
    let now = Clock.wall().nanoseconds
    try line.show(answer) { json in
      var table = TextTable([
        .init("JOB"), .init("VERB"), .init("STATE"), .init("DONE", isNumber: true),
        .init("MATCHED", isNumber: true), .init("FAILED", isNumber: true),
        .init("STARTED", isNumber: true),
      ])
      for job in json["jobs"]?.array ?? [] {
        table.add(
          ["job", "verb", "state", "done", "matched", "failed"].map { Plain.member(job[$0]) }
            + [Plain.since(job["started_at"], now: now)])
      }
      return table.isEmpty ? "no jobs\n" : table.text
    }
    return .done
  }

  private static func job(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    let path = "/workspaces/\(try line.workspace())/jobs/\(Query.escape(line.arguments[1]))"
    if line.has("stop") {
      try line.show(line.ask("DELETE", path), Self.line)
      return .done
    }
    if line.has("wait") { return try follow(path, line) }
    try line.show(line.ask("GET", path), Self.line)
    return .done
  }

  private static func line(_ json: JSON) -> String {
    var text =
      "job \(Plain.member(json["job"])) \(Plain.member(json["verb"])): "
      + "\(Plain.member(json["state"])), \(Plain.member(json["done"])) of "
      + "\(Plain.member(json["matched"])) done"
    if let failed = json["failed"]?.int, failed > 0 { text += ", \(failed) failed" }
    for skipped in json["skipped"]?.object ?? [] {
      let why = Plain.text(skipped.key).replacing("_", with: " ")
      text += ", \(Plain.member(skipped.value)) \(why)"
    }
    return text + "\n"
  }

  /// Looks until the job has ended. What failed makes the status 1.
  static func follow(_ path: String, _ line: Invocation) throws(CommandFailure) -> ExitStatus {
    while true {
      let answer = try line.ask("GET", path)
      guard answer.json["state"]?.string == "running" else {
        if line.console.isWatched { line.console.error("\r\u{1B}[K") }
        try line.show(answer, Self.line)
        let isWhole = answer.json["failed"]?.int ?? 0 == 0
        return isWhole && answer.json["state"]?.string == "done" ? .done : .refused
      }
      if line.console.isWatched {
        line.console.error("\r\u{1B}[K" + Self.line(answer.json).dropLast())
      }
      line.console.pause(Limits.jobLookEvery)
    }
  }

  // MARK: pause

  private static func pause(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    let id = try line.workspace()
    let body: JSON = line.has("refuse") ? ["sends": "refuse"] : [:]
    try line.show(line.ask("POST", "/workspaces/\(id)/pause", body)) { json in
      "\(id) \(Plain.member(json["status"])); next: a2a-relay resume \(id)\n"
    }
    return .done
  }

  private static func resume(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    let id = try line.workspace()
    try line.show(line.ask("POST", "/workspaces/\(id)/resume", [:])) { json in
      "\(id) \(Plain.member(json["status"]))\n"
    }
    return .done
  }
}
