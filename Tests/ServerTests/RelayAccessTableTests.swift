import Engine
import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// Every route and method with every credential: what is not allowed is refused in the same words
/// whether the thing exists or not, and changes nothing.
@Suite struct RelayAccessTableTests {
  /// Whose credential it is, seen from the workspace of the table.
  enum Holder: Equatable {
    case stranger, relay, own, sibling, foreignWorkspace
    /// The agent of a workspace that was removed: it hears that, and nothing else.
    case ended(WorkspaceID)
    case org(own: Bool, RegisteredToken.Scopes)
  }

  struct Credential {
    var name: String
    var holder: Holder
    var token: String?
    var fields: [(String, String)] = []
    var query = ""
  }

  private static let wrong = "rtok_" + String(repeating: "A", count: 43)

  @Test func `every route and method has its row, and every row its answers`() throws {
    let target = AccessTarget(
      workspace: RelayAccessTests.unknown, message: RelayAccessTests.message,
      orgMessage: RelayAccessTests.message, org: "o", key: "k", token: "t")
    for row in AccessRow.all {
      let path = row.path(target).split(separator: "?").first.map(String.init) ?? ""
      let route = RouteTable.find(path, .get).route
      let isNone = route === Route.none || route === Route.badID
      #expect(isNone || route.patterns.contains(row.pattern), "\(path) is not \(row.pattern)")
      guard route.refusal == nil else { continue }
      #expect(Set(row.answers.keys) == Set(RouteTable.methods(besides: route).names), "\(path)")
    }
    let rows = Set(AccessRow.all.map(\.pattern))
    let missing = RouteTable.routes.filter { rows.isDisjoint(with: $0.patterns) }
    #expect(missing.map { $0.patterns[0] } == [], "add a row to AccessRows.swift for each of these")
  }

  @Test func `no route lets anybody in who may not, or tells what exists`() throws {
    let stage = try AccessStage()
    let credentials = try stage.credentials()
    var tried = 0
    for row in AccessRow.all {
      for method in row.answers.keys.sorted() {
        let access = row.access(method)
        let before = try stage.snapshot()
        for credential in credentials where !allows(access, credential.holder) {
          let here = try stage.call(row, method, stage.target, credential)
          let there = try stage.call(row, method, AccessStage.nowhere, credential)
          let name = "\(method) \(row.path(stage.target)) with \(credential.name)"
          #expect(here.status == refusal(row.pattern, credential.holder), "\(name)")
          #expect(stage.bytes(here) == stage.bytes(there), "\(name)")
          for secret in stage.secrets {
            if case .ended(let own) = credential.holder, own.text == secret { continue }
            #expect(!here.text.contains(secret), "\(name)")
          }
          tried += 2
        }
        let after = try stage.snapshot()
        #expect(after == before, "\(method) \(row.pattern) has changed something")
      }
    }
    #expect(tried > 1000)
    // The same requests of those who may: nothing above was refused for another reason.
    for row in AccessRow.all {
      for method in row.answers.keys.sorted(by: { order($0) < order($1) }) {
        let credential = try #require(
          credentials.last { allows(row.access(method), $0.holder) && $0.holder != .relay }
            ?? credentials.last { allows(row.access(method), $0.holder) })
        let known = try stage.lines().first?.id ?? 0
        let answer = try stage.call(row, method, stage.target, credential)
        #expect(
          answer.status == row.answers[method],
          "\(method) \(row.path(stage.target)) with \(credential.name): \(answer.text)")
        let lines = try stage.lines().prefix { $0.id != known }
        #expect(
          lines.count == linesLeft(row, method),
          "\(method) \(row.path(stage.target)): \(lines)")
      }
    }
  }

  /// Calls of callers and agents leave none, all that is an operator's verb leaves one.
  private func linesLeft(_ row: AccessRow, _ method: String) -> Int {
    ["POST", "PUT", "PATCH", "DELETE"].contains(method) ? row.lines : 0
  }

  private func order(_ method: String) -> Int { method == "DELETE" ? 1 : 0 }

  private func allows(_ access: AccessRow.Access, _ holder: Holder) -> Bool {
    func isOf(_ scopes: RegisteredToken.Scopes) -> Bool {
      switch holder {
      case .relay: true
      case .org(true, let own): !own.isDisjoint(with: scopes.union(.admin))
      default: false
      }
    }
    return switch access {
    case .everybody: true
    case .callers: holder == .own || holder == .sibling || isOf(.send)
    case .orgSender: isOf(.send)
    case .agent: holder == .own
    case .agentOrOperators(let scope): holder == .own || isOf(scope)
    case .anyAgent: holder == .own || holder == .sibling || holder == .foreignWorkspace
    case .known: refusal("", holder) == 404
    case .operators(let scope), .orgs(let scope): isOf(scope)
    case .anyOrg(let scope):
      if case .org(_, let own) = holder {
        !own.isDisjoint(with: scope.union(.admin))
      } else {
        holder == .relay
      }
    case .relay, .sender: holder == .relay
    }
  }

  /// Unknown is 401. Known, and not allowed, is "no such thing"; but an agent whose registration
  /// names another workspace than its token hears that its token is wrong.
  private func refusal(_ pattern: String, _ holder: Holder) -> Int {
    switch holder {
    case .stranger: 401
    case .sibling, .foreignWorkspace: pattern == "/registry/register" ? 401 : 404
    case .ended: pattern == "/workspaces/{id}/state" ? 404 : 410
    case .own, .relay, .org: 404
    }
  }
}

/// A relay with two orgs, agents, keys and a message; and credentials of every kind.
struct AccessStage {
  let server: RelayTestServer
  let target: AccessTarget
  private(set) var secrets: [String] = []
  private let own: String
  private let sibling: (id: String, token: String)
  private let foreign: (id: String, token: String)
  private let removed: (id: String, token: String)
  private static let org = "acme"
  static let nowhere = AccessTarget(
    workspace: RelayAccessTests.unknown, message: RelayAccessTests.message,
    orgMessage: RelayAccessTests.message, org: "nowhere", key: "0badc0de", token: "0badc0de")

  init() throws {
    server = try RelayTestServer()
    let client = try HTTPTestClient(server)
    func make(_ org: String) throws -> (id: String, token: String) {
      let made = try client.call(
        "POST", "/workspaces", token: RelayScene.admin, body: "{\"org\":\"\(org)\"}")
      let id = try #require(made.json["id"]?.string)
      let registered = try client.call(
        "POST", "/registry/register", token: RelayScene.admin, body: "{\"id\":\"\(id)\"}")
      return (id, try #require(registered.json["auth_token"]?.string))
    }
    for org in [Self.org, "other"] {
      let made = try client.call(
        "POST", "/orgs", token: RelayScene.admin, body: "{\"id\":\"\(org)\"}")
      #expect(made.status == 201)
    }
    let mine = try make(Self.org)
    own = mine.token
    sibling = try make(Self.org)
    foreign = try make("other")
    removed = try make(Self.org)
    let end = try client.call("DELETE", "/workspaces/\(removed.id)", token: RelayScene.admin)
    #expect(end.status == 200)
    let sent = try client.call(
      "POST", "/w/\(mine.id)/", token: RelayScene.admin, body: RelayScene.message())
    let sender = try client.call(
      "POST", "/org/tokens", token: RelayScene.admin,
      body: "{\"org\":\"\(Self.org)\",\"scopes\":[\"send\"]}")
    let sentByKey = try client.call(
      "POST", "/w/\(mine.id)/", token: try #require(sender.json["auth_token"]?.string),
      body: RelayScene.message())
    // One of each that the table may revoke.
    let key = try client.call(
      "POST", "/org/tokens", token: RelayScene.admin,
      body: "{\"org\":\"\(Self.org)\",\"scopes\":[\"read\"]}")
    let token = try client.call(
      "POST", "/workspaces/\(mine.id)/tokens", token: RelayScene.admin, body: "{}")
    target = AccessTarget(
      workspace: mine.id, message: try #require(sent.field("x-relay-message-id")),
      orgMessage: try #require(sentByKey.field("x-relay-message-id")), org: Self.org,
      key: try #require(key.json["id"]?.string), token: try #require(token.json["id"]?.string))
    secrets = [mine.id, sibling.id, foreign.id, removed.id]
    secrets += [own, sibling.token, foreign.token, removed.token]
  }

  /// The newest lines of the audit, without those that depend on whether a job is still running.
  func lines() throws -> [(id: Int, action: String)] {
    let entries = try admin("GET", "/admin/audit?limit=10")["entries"]?.array ?? []
    return entries.map { ($0["id"]?.int ?? 0, $0["action"]?.string ?? "") }
      .filter { $0.action != "job.end" && $0.action != "job.stop" }
  }

  private func admin(_ method: String, _ path: String, _ body: String = "") throws -> JSON {
    try HTTPTestClient(server).call(method, path, token: RelayScene.admin, body: body).json
  }

  private func key(_ org: String, _ scope: String, _ more: String = "") throws -> JSON {
    try admin("POST", "/org/tokens", "{\"org\":\"\(org)\",\"scopes\":[\"\(scope)\"]\(more)}")
  }

  func credentials() throws -> [RelayAccessTableTests.Credential] {
    typealias Credential = RelayAccessTableTests.Credential
    let forged = [
      ("X-Workspace-ID", target.workspace), ("X-Relay-Caller", "workspace:\(target.workspace)"),
      ("X-Org-Id", target.org), ("X-Molecule-Org-Id", target.org), ("X-Relay-Caller", "admin"),
      ("Cookie", "auth_token=\(own)"), ("X-Forwarded-For", "127.0.0.1"),
    ]
    let wrong = "rtok_" + String(repeating: "A", count: 43)
    var all: [Credential] = [
      Credential(name: "none", holder: .stranger),
      Credential(name: "a wrong bearer", holder: .stranger, token: wrong),
      Credential(name: "an empty bearer", holder: .stranger, token: ""),
      Credential(name: "a wrong key", holder: .stranger, fields: [("X-Relay-Key", wrong)]),
      Credential(
        name: "a basic password", holder: .stranger, fields: [("Authorization", "Basic eDp5")]),
      Credential(name: "forged headers", holder: .stranger, fields: forged),
      Credential(
        name: "a token in the query", holder: .stranger, query: "token=\(own)&access_token=\(own)"),
      Credential(name: "the hash of a token", holder: .stranger, token: hash(own)),
    ]
    all += try dead().map {
      Credential(name: $0.name, holder: .stranger, token: $0.token)
    }
    all += [
      Credential(name: "a sibling's token", holder: .sibling, token: sibling.token),
      Credential(
        name: "a sibling's token and forged headers", holder: .sibling, token: sibling.token,
        fields: forged),
      Credential(name: "another org's agent", holder: .foreignWorkspace, token: foreign.token),
      Credential(
        name: "a removed workspace's token",
        holder: .ended(try #require(WorkspaceID(removed.id))), token: removed.token),
    ]
    for (org, isOwn) in [("other", false), (Self.org, true)] {
      for (name, scope) in RegisteredToken.Scopes.names {
        let secret = try #require(try key(org, name)["auth_token"]?.string)
        all.append(
          Credential(
            name: "\(org)'s key to \(name)", holder: .org(own: isOwn, scope), token: secret))
      }
    }
    all.append(Credential(name: "the relay's", holder: .relay, token: RelayScene.admin))
    all.append(Credential(name: "its own", holder: .own, token: own))
    return all
  }

  private func hash(_ secret: String) -> String { SHA256.hash(Array(secret.utf8)).hex }

  /// Credentials that were good.
  private func dead() throws -> [(name: String, token: String)] {
    let tokens = "/workspaces/\(target.workspace)/tokens"
    let ending = "\"expires_in_seconds\":1"
    let revoked = try admin("POST", tokens)
    let expired = try admin("POST", tokens, "{\(ending)}")
    let revokedKey = try key(Self.org, "admin")
    let expiredKey = try key(Self.org, "admin", ",\(ending)")
    _ = try admin("DELETE", "\(tokens)/\(revoked["id"]?.string ?? "")")
    _ = try admin("DELETE", "/org/tokens/\(revokedKey["id"]?.string ?? "")")
    let found = try [
      ("a revoked token", revoked), ("an expired token", expired), ("a revoked key", revokedKey),
      ("an expired key", expiredKey),
    ].map { (name: $0.0, token: try #require($0.1["auth_token"]?.string)) }
    let path = "/messages/\(RelayAccessTests.message)"
    for one in [found[1], found[3]] {
      while try HTTPTestClient(server).call("GET", path, token: one.token).status != 401 {}
    }
    return found
  }

  func call(
    _ row: AccessRow, _ method: String, _ target: AccessTarget,
    _ credential: RelayAccessTableTests.Credential
  ) throws -> HTTPTestClient.Answer {
    var path = row.path(target)
    if !credential.query.isEmpty { path += (path.contains("?") ? "&" : "?") + credential.query }
    let hasBody = ["POST", "PUT", "PATCH"].contains(method)
    return try HTTPTestClient(server).call(
      method, path, token: credential.token, fields: credential.fields,
      body: hasBody ? row.body(target) : "")
  }

  /// The answer without what changes with time.
  func bytes(_ answer: HTTPTestClient.Answer) -> String {
    let headers = answer.head?.headers
    let fields = (0..<(headers?.count ?? 0)).compactMap { index -> String? in
      guard let headers, headers.name(at: index).lowercased() != "date" else { return nil }
      return "\(headers.name(at: index)): \(headers.value(at: index))"
    }
    return "\(answer.status)\n\(fields.joined(separator: "\n"))\n\n\(answer.text)"
  }

  /// All that an operator can see: rows, tokens, keys, queues, and the audit's last line.
  func snapshot() throws -> String {
    var paths = ["/workspaces", "/orgs", "/org/tokens", "/admin/audit?limit=1"]
    paths += [Self.org, "other"].map { "/org/tokens?org=\($0)" }
    paths += [target.workspace, sibling.id, foreign.id].flatMap {
      ["/workspaces/\($0)", "/workspaces/\($0)/tokens", "/workspaces/\($0)/secrets"]
    }
    return try paths.map { path in
      String(decoding: withoutUses(try admin("GET", path)).bytes, as: UTF8.self)
    }.joined(separator: "\n")
  }

  /// A use that was refused is a use all the same, and a sign of life of its holder.
  private func withoutUses(_ json: JSON) -> JSON {
    if let items = json.array { return .array(items.map(withoutUses)) }
    guard let members = json.object else { return json }
    let uses = ["last_used_at", "last_seen_at"]
    return .object(
      members.filter { !uses.contains($0.key) }
        .map { JSON.Member($0.key, withoutUses($0.value)) })
  }
}
