import Relay
import System
import Wire

/// `workspaces …`.
enum WorkspaceCommands {
  private static let settings = [
    Flag("callers", "relay|agent", "who may call it: holders of a credential, or everybody"),
    Flag("when-offline", "task|error", "what a caller gets when nobody takes its call in time"),
    Flag("keep-alive", "true|false", "white space for callers that are held"),
    Flag("parent", "ID", "the workspace that it stands below; none: of no other"),
  ]
  private static let name = Flag("name", "NAME", "its name")

  static let all = [
    Command("workspaces", "the workspaces, in the order of their making", flags: page, run: list),
    Command("workspaces list", "the same", flags: page, run: list),
    Command(
      "workspaces create [NAME]", "makes a workspace",
      flags: [
        Flag("id", "UUID", "its id (default: one is made)"),
        Flag("org", "ORG", "the org that it belongs to (default default)"),
      ] + settings, run: create),
    Command("workspaces show ID", "one workspace with its settings and addresses", run: show),
    Command(
      "workspaces set ID", "changes what the flags name, and leaves the rest",
      flags: [name] + settings, run: set),
    Command(
      "workspaces remove ID", "takes it out of use; it can be restored for a while",
      flags: [Flag("confirm", nil, "its children too")],
      notes: "Its messages are cancelled and its tokens end. workspaces restore brings it back,\n"
        + "without its tokens, until the time that the answer names.",
      run: remove),
    Command("workspaces restore ID", "brings a removed workspace back", run: restore),
    Command(
      "workspaces purge ID", "deletes it for good, with everything in it",
      flags: [
        Flag("yes", nil, "do it; without it nothing is done"),
        Flag("confirm", nil, "its children too"),
      ], run: purge),
  ]

  private static let page = [
    Flag("limit", "COUNT", "at most 500 (default 100)"),
    Flag("after", "ID", "those behind this one"),
    Flag("removed", nil, "those that can be restored, the last removed last"),
  ]

  private static func query(_ line: Invocation) throws(CommandFailure) -> Query {
    var query = Query()
    query.add("limit", String(try line.number("limit") ?? 100))
    query.add("after", line.value("after"))
    return query
  }

  private static func listRemoved(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    var query = try query(line)
    query.add("removed", "1")
    try line.show(line.ask("GET", "/workspaces\(query.text)")) { json in
      var table = TextTable([
        .init("ID"), .init("NAME"), .init("ORG"), .init("REMOVED"), .init("RESTORE UNTIL"),
      ])
      for workspace in json["workspaces"]?.array ?? [] {
        table.add(
          ["id", "name", "org", "removed_at", "restore_until"].map { Plain.member(workspace[$0]) })
      }
      if table.isEmpty { return "no workspace was removed that could be restored\n" }
      return table.text + Query.more(json)
        + "a2a-relay workspaces restore ID brings one back, without its tokens\n"
    }
    return .done
  }

  private static func list(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    if line.has("removed") { return try listRemoved(line) }
    let answer = try line.ask("GET", "/workspaces\(try query(line).text)")
    let now = Clock.wall().nanoseconds
    try line.show(answer) { json in
      var table = TextTable([
        .init("ID"), .init("NAME"), .init("ORG"), .init("AGENT"),
        .init("SEEN", isNumber: true), .init("UNANSWERED", isNumber: true),
        .init("DEAD", isNumber: true),
      ])
      for workspace in json["workspaces"]?.array ?? [] {
        let queue = workspace["queue"]
        table.add([
          Plain.member(workspace["id"]), Plain.member(workspace["name"]),
          Plain.member(workspace["org"]), Plain.member(workspace["status"]),
          Plain.since(workspace["last_seen_at"], now: now),
          Plain.member(queue?["unanswered"]), Plain.member(queue?["dead"]),
        ])
      }
      if table.isEmpty { return "no workspaces; a2a-relay workspaces create NAME makes one\n" }
      return table.text + Query.more(json)
    }
    return .done
  }

  private static func create(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    var body = try members(line)
    if let name = line.arguments.first { body["name"] = .string(name) }
    if let id = line.value("id") { body["id"] = .string(try Invocation.workspace(id)) }
    if let org = line.value("org") { body["org"] = .string(org) }
    let answer = try line.ask("POST", "/workspaces", body)
    try line.show(answer) { json in
      let id = Plain.member(json["id"])
      return facts(json)
        + "next: a2a-relay tokens \(id) add, or let its agent register within an hour\n"
    }
    return .done
  }

  private static func show(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    try line.show(line.ask("GET", "/workspaces/\(try line.workspace())"), facts)
    return .done
  }

  private static func set(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    let id = try line.workspace()
    var body = try members(line)
    if let name = line.value("name") { body["name"] = .string(name) }
    guard body.object?.isEmpty == false else {
      throw .usage("nothing to set: name a flag, such as --name; see a2a-relay help workspaces")
    }
    try line.show(line.ask("PATCH", "/workspaces/\(id)", body), facts)
    return .done
  }

  /// Returns the members that both creating and changing a workspace take.
  private static func members(_ line: Invocation) throws(CommandFailure) -> JSON {
    var body: JSON = [:]
    if let callers = line.value("callers") { body["callers"] = .string(callers) }
    if let value = line.value("when-offline") { body["when_offline"] = .string(value) }
    if let parent = line.value("parent") {
      body["parent_id"] = parent == "none" ? .null : .string(try Invocation.workspace(parent))
    }
    switch line.value("keep-alive") {
    case nil: break
    case "true": body["keep_alive"] = true
    case "false": body["keep_alive"] = false
    default: throw .usage("--keep-alive takes true or false")
    }
    return body
  }

  static func facts(_ json: JSON) -> String {
    var facts = Facts()
    let now = Clock.wall().nanoseconds
    for member in json.object ?? [] {
      switch (member.key, member.value) {
      case ("urls", .object(let urls)), ("settings", .object(let urls)):
        for url in urls { facts.add(Plain.text(url.key), Plain.member(url.value)) }
      case ("queue", .object(let counts)):
        for count in counts { facts.add(Plain.text(count.key), Plain.member(count.value)) }
      case (let key, let value) where key.hasSuffix("_at") && value.string != nil:
        facts.add(key, "\(Plain.member(value)) (\(Plain.since(value, now: now)) ago)")
      case (let key, let value): facts.add(Plain.text(key), Plain.member(value))
      }
    }
    return facts.text
  }

  private static func remove(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    let id = try line.workspace()
    var query = Query()
    if line.has("confirm") { query.add("confirm", "true") }
    let answer = try line.ask("DELETE", "/workspaces/\(id)\(query.text)", taking: [409])
    if answer.status == 409 { return try confirm(answer, line) }
    try line.show(answer) { json in
      "removed \(id) and \(Plain.member(json["cascade_deleted"])) below it; it can be restored "
        + "until \(Plain.member(json["restore_until"]))\n"
        + "undo: a2a-relay workspaces restore \(id)\n"
    }
    return .done
  }

  /// Reports that the workspace has children, and that nothing was done.
  private static func confirm(
    _ answer: Invocation.Answer, _ line: Invocation
  ) throws(CommandFailure) -> ExitStatus {
    guard let children = answer.json["children"]?.array else {
      throw .refused(Plain.text(answer.json["error"]?.string ?? "refused"))
    }
    try line.show(answer) { json in
      var text = "nothing was removed: it has \(Plain.member(json["children_count"])) children\n"
      for child in children { text += "  \(Plain.member(child))\n" }
      return text + "try: the same with --confirm, which removes them too\n"
    }
    return .refused
  }

  private static func restore(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    let id = try line.workspace()
    var answer = try line.ask("POST", "/workspaces/\(id)/restore", [:], taking: [503])
    // Its messages are still ending: some hundred of them in a turn of the relay.
    while answer.status == 503, answer.json["removing"]?.bool == true {
      line.console.pause(Limits.restoreRetry)
      answer = try line.ask("POST", "/workspaces/\(id)/restore", [:], taking: [503])
    }
    guard answer.status == 200 else {
      throw .refused(Plain.text(answer.json["error"]?.string ?? "the relay refused"))
    }
    try line.show(answer) { json in
      facts(json) + "its old tokens are dead; next: a2a-relay tokens \(id) add\n"
    }
    return .done
  }

  private static func purge(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    let id = try line.workspace()
    guard line.has("yes") else {
      throw .usage("this deletes \(id) and all its messages for good; say --yes")
    }
    var query = Query()
    query.add("purge", "true")
    if line.has("confirm") { query.add("confirm", "true") }
    let answer = try line.ask("DELETE", "/workspaces/\(id)\(query.text)", taking: [409])
    if answer.status == 409 { return try confirm(answer, line) }
    try line.show(answer) { json in
      "purged \(id) and \(Plain.member(json["cascade_deleted"])) below it\n"
    }
    return .done
  }
}
