import Relay
import System
import Wire

/// `tokens …`, `orgs …`, `keys …`.
enum CredentialCommands {
  private static let life = [
    Flag("name", "NAME", "what it is for"),
    Flag("expires", "SECONDS", "its life (default: until it is revoked)"),
  ]

  static let all = [
    Command("tokens ID", "the tokens of a workspace's agent; never the secrets", run: listTokens),
    Command("tokens ID list", "the same", run: listTokens),
    Command("tokens ID add", "makes a token, and shows it once", flags: life, run: addToken),
    Command(
      "tokens ID rotate", "makes a token; those there are end after a grace",
      flags: [Flag("grace", "SECONDS", "how long the old ones still work (default 86400)")],
      run: rotate),
    Command(
      "tokens ID revoke [TOKEN]", "ends one token (its id in the list), or with --all all of them",
      flags: [Flag("all", nil, "all tokens of the workspace")], run: revoke),
    Command("orgs", "the orgs", run: listOrgs),
    Command("orgs list", "the same", run: listOrgs),
    Command(
      "orgs create ORG", "makes an org: 1 to 40 of a-z, 0-9 and -",
      flags: [Flag("name", "NAME", "its name")], run: createOrg),
    Command("keys", "the keys of an org; never the secrets", flags: [org], run: listKeys),
    Command("keys list", "the same", flags: [org], run: listKeys),
    Command(
      "keys add", "makes a key, and shows it once",
      flags: [org, Flag("scopes", "LIST", "of admin, send, read, as send,read")] + life,
      run: addKey),
    Command("keys revoke KEY", "ends a key (its id in the list)", run: revokeKey),
  ]

  private static let org = Flag("org", "ORG", "which org (default default)")

  private static func listTokens(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    try line.show(line.ask("GET", "/workspaces/\(try line.workspace())/tokens")) { tokens($0) }
    return .done
  }

  private static func listKeys(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    var query = Query()
    query.add("org", line.value("org"))
    try line.show(line.ask("GET", "/org/tokens\(query.text)")) { tokens($0, areKeys: true) }
    return .done
  }

  private static func tokens(_ json: JSON, areKeys: Bool = false) -> String {
    let now = Clock.wall().nanoseconds
    var columns = [
      TextTable.Column("ID"), .init("NAME"), .init("CREATED", isNumber: true),
      .init("USED", isNumber: true), .init("EXPIRES"), .init("STATE"),
    ]
    if areKeys { columns += [.init("ORG"), .init("SCOPES")] }
    var table = TextTable(columns)
    for token in json["tokens"]?.array ?? [] {
      var row = [
        Plain.member(token["id"]), Plain.member(token["name"]),
        Plain.since(token["created_at"], now: now), Plain.since(token["last_used_at"], now: now),
        Plain.member(token["expires_at"]), state(token, now: now),
      ]
      if areKeys { row += [Plain.member(token["org"]), Plain.member(token["scopes"])] }
      table.add(row)
    }
    return table.isEmpty ? "none\n" : table.text
  }

  static func state(_ token: JSON, now: Int64) -> String {
    if token["revoked_at"]?.string != nil { return "revoked" }
    let expires = token["expires_at"]?.string.flatMap { Timestamp.nanoseconds(rfc3339: $0) }
    return expires.map { $0 <= now } ?? false ? "expired" : "good"
  }

  private static func wish(_ line: Invocation) throws(CommandFailure) -> JSON {
    var body: JSON = [:]
    if let name = line.value("name") { body["name"] = .string(name) }
    if let life = try line.number("expires") { body["expires_in_seconds"] = .number("\(life)") }
    return body
  }

  /// The secret alone on its line, so that it can be taken with `tail -1`.
  private static func minted(_ json: JSON) -> String {
    "\(Plain.member(json["id"])), shown once; only its hash is kept:\n"
      + "\(Plain.member(json["auth_token"]))\n"
  }

  /// The advice for a token of a workspace that was made and could not be shown.
  private static func lost(_ json: JSON, _ id: String) -> String {
    "token \(Plain.member(json["id"])) is made, and nobody knows it; try: a2a-relay tokens \(id) "
      + "revoke \(Plain.member(json["id"])), then a2a-relay tokens \(id) add"
  }

  private static func addToken(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    let id = try line.workspace()
    let answer = try line.ask("POST", "/workspaces/\(id)/tokens", try wish(line))
    try line.show(answer, ifLost: { lost($0, id) }, minted)
    return .done
  }

  private static func rotate(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    var body: JSON = [:]
    if let grace = try line.number("grace") { body["grace_seconds"] = .number("\(grace)") }
    let id = try line.workspace()
    let answer = try line.ask("POST", "/workspaces/\(id)/tokens/rotate", body)
    try line.show(answer, ifLost: { lost($0, id) + "; the older ones end as asked" }, minted)
    return .done
  }

  private static func revoke(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    let id = try line.workspace()
    var path = "/workspaces/\(id)/tokens"
    guard (line.arguments.count > 1) != line.has("all") else {
      throw .usage("name a token, as a2a-relay tokens \(id) lists them, or say --all")
    }
    if line.arguments.count > 1 { path += "/" + Query.escape(line.arguments[1]) }
    try line.show(line.ask("DELETE", path)) { json in
      "revoked \(Plain.member(json["id"] ?? json["count"]))\n"
    }
    return .done
  }

  private static func listOrgs(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    try line.show(line.ask("GET", "/orgs")) { json in
      var table = TextTable([.init("ID"), .init("NAME")])
      for org in json["orgs"]?.array ?? [] {
        table.add([Plain.member(org["id"]), Plain.member(org["name"])])
      }
      return table.text
    }
    return .done
  }

  private static func createOrg(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    var body: JSON = ["id": .string(line.arguments[0])]
    if let name = line.value("name") { body["name"] = .string(name) }
    try line.show(line.ask("POST", "/orgs", body)) { json in
      "made \(Plain.member(json["id"])); next: a2a-relay keys add --org "
        + "\(Plain.member(json["id"])) --scopes send\n"
    }
    return .done
  }

  private static func addKey(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    guard let scopes = line.value("scopes") else {
      throw .usage("--scopes is missing: a list of admin, send and read, as send,read")
    }
    var body = try wish(line)
    body["org"] = .string(line.value("org") ?? "default")
    body["scopes"] = .array(scopes.split(separator: ",").map { .string(String($0)) })
    try line.show(
      line.ask("POST", "/org/tokens", body),
      ifLost: { json in
        let id = Plain.member(json["id"])
        return "key \(id) is made, and nobody knows it; try: a2a-relay keys revoke \(id), then "
          + "a2a-relay keys add"
      }, minted)
    return .done
  }

  private static func revokeKey(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    let key = Query.escape(line.arguments[0])
    try line.show(line.ask("DELETE", "/org/tokens/\(key)")) { json in
      "revoked \(Plain.member(json["id"]))\n"
    }
    return .done
  }
}
