import Engine
import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// Orgs, their keys, and what those may do.
@Suite struct RelayOrgTests {
  let server: RelayTestServer

  init() throws {
    server = try RelayTestServer()
    #expect(try call("POST", "/orgs", body: "{\"id\":\"acme\",\"name\":\"Acme\"}").status == 201)
  }

  private func call(
    _ method: String, _ path: String, token: String? = RelayScene.admin, body: String = ""
  ) throws -> HTTPTestClient.Answer {
    try HTTPTestClient(server).call(method, path, token: token, body: body)
  }

  private func key(_ scopes: String, org: String = "acme", more: String = "") throws -> String {
    let answer = try call(
      "POST", "/org/tokens", body: "{\"org\":\"\(org)\",\"scopes\":[\(scopes)]\(more)}")
    #expect(answer.status == 201)
    return try #require(answer.json["auth_token"]?.string)
  }

  private func workspace(_ token: String, _ body: String = "{}") throws -> String {
    let made = try call("POST", "/workspaces", token: token, body: body)
    #expect(made.status == 201)
    return try #require(made.json["id"]?.string)
  }

  private func register(_ id: String, _ token: String? = RelayScene.admin) throws -> String {
    let answer = try call("POST", "/registry/register", token: token, body: "{\"id\":\"\(id)\"}")
    #expect(answer.status == 200 && answer.json["workspace_id"]?.string == id)
    return try #require(answer.json["auth_token"]?.string)
  }

  @Test func `orgs are made once, and default is always there`() throws {
    let list = try call("GET", "/orgs")
    #expect(list.json["orgs"]?.array?.map { $0["id"]?.string } == ["acme", "default"])
    for id in ["acme", "default"] {
      #expect(try call("POST", "/orgs", body: "{\"id\":\"\(id)\"}").code == "org_exists")
    }
    let long = String(repeating: "o", count: 41)
    for id in ["", "A", "a_b", "ä", long, "a b"] {
      #expect(try call("POST", "/orgs", body: "{\"id\":\"\(id)\"}").code == "bad_request")
    }
    for body in ["{\"id\":7}", "{}", "{\"id\":\"x\",\"name\":7}"] {
      #expect(try call("POST", "/orgs", body: body).status == 400)
    }
  }

  @Test func `a key is listed without its secret and revoked by its id`() throws {
    let secret = try key("\"read\",\"send\"", more: ",\"name\":\"ci\"")
    #expect(secret.hasPrefix("rorg_") && secret.utf8.count == 48)
    let list = try call("GET", "/org/tokens?org=acme")
    let row = try #require(list.json["tokens"]?.array?.first)
    #expect(list.json["count"]?.int == 1 && row["org"]?.string == "acme")
    #expect(row["scopes"]?.array?.map(\.string) == ["send", "read"])
    #expect(row["name"]?.string == "ci" && row["prefix"]?.string == "rorg_")
    #expect(!list.text.contains(secret.dropFirst(5)))
    let id = try #require(row["id"]?.string)
    #expect(try call("GET", "/workspaces", token: secret).status == 200)
    #expect(try call("GET", "/org/tokens").json["count"]?.int == 0, "of org default")
    let revoked = try call("DELETE", "/org/tokens/\(id)")
    #expect(revoked.json["status"]?.string == "revoked" && revoked.json["id"]?.string == id)
    #expect(try call("GET", "/workspaces", token: secret).status == 401)
    #expect(try call("DELETE", "/org/tokens/\(id)").status == 200)
    #expect(try call("DELETE", "/org/tokens/00000000").status == 404)
  }

  @Test func `what is asked of a key is read strictly`() throws {
    for body in [
      "{\"scopes\":[]}", "{}", "{\"scopes\":\"send\"}", "{\"scopes\":[\"send\",\"all\"]}",
      "{\"scopes\":[7]}", "{\"scopes\":[\"send\"],\"name\":7}", "{\"org\":7,\"scopes\":[\"send\"]}",
      "{\"scopes\":[\"send\"],\"expires_in_seconds\":0}",
      "{\"scopes\":[\"send\"],\"expires_in_seconds\":\"x\"}",
    ] {
      #expect(try call("POST", "/org/tokens", body: body).status == 400, "\(body)")
    }
    let unknown = try call("POST", "/org/tokens", body: "{\"org\":\"no\",\"scopes\":[\"send\"]}")
    #expect(unknown.status == 400 && unknown.text.contains("there is no \\\"no\\\""))
    #expect(try call("GET", "/org/tokens?org=no").status == 404)
    let made = try call("POST", "/workspaces", body: "{\"org\":\"no\"}")
    #expect(made.status == 400 && made.text.contains("POST /orgs"))
  }

  @Test func `an org's operator sees what of its org's was removed`() throws {
    let key = try key("\"read\"")
    let mine = try (0..<3).map { _ in try workspace(RelayScene.admin, "{\"org\":\"acme\"}") }
    let other = try workspace(RelayScene.admin)
    let removed = [mine[2], other, mine[0]]
    for id in removed { #expect(try call("DELETE", "/workspaces/\(id)").status == 200) }
    func ids(_ query: String, _ token: String? = RelayScene.admin) throws -> [String?]? {
      try call("GET", "/workspaces?\(query)", token: token).json["workspaces"]?.array?.map {
        $0["id"]?.string
      }
    }
    #expect(try ids("removed=1") == removed)
    #expect(try ids("removed=true&after=\(mine[2])&limit=1") == [other])
    #expect(try ids("removed=1", key) == [mine[2], mine[0]])
    #expect(try ids("removed=0", key) == [mine[1]])
    let entry = try call("GET", "/workspaces?removed=1&limit=1", token: key).json
    #expect(entry["next"]?.string == mine[2])
    let members = entry["workspaces"]?.array?.first?.object?.map(\.key)
    #expect(members == ["id", "name", "org", "parent_id", "removed_at", "restore_until"])
    #expect(try call("GET", "/workspaces?removed=1&after=\(other)", token: key).status == 404)
    #expect(try call("GET", "/workspaces?removed=1&after=\(mine[1])", token: key).status == 404)
    let misspelt = try call("GET", "/workspaces?removed=yes")
    #expect(misspelt.status == 400 && misspelt.text.contains("removed must be 1 or 0"))
    #expect(try call("GET", "/workspaces?removed=1", token: nil).status == 401)
  }

  @Test func `an org's operator makes and sees what is its org's`() throws {
    let (admin, read) = (try key("\"admin\""), try key("\"read\""))
    let mine = try workspace(admin, "{\"name\":\"m\"}")
    let named = try workspace(admin, "{\"org\":\"acme\"}")
    let other = try workspace(RelayScene.admin)
    let byRelay = try workspace(RelayScene.admin, "{\"org\":\"acme\"}")
    for token in [admin, read] {
      let list = try call("GET", "/workspaces", token: token)
      #expect(list.json["workspaces"]?.array?.map { $0["id"]?.string } == [mine, named, byRelay])
      #expect(list.json["workspaces"]?.array?.allSatisfy { $0["org"]?.string == "acme" } == true)
      let page = try call("GET", "/workspaces?limit=2&after=\(mine)", token: token)
      #expect(page.json["workspaces"]?.array?.count == 2 && page.json["next"] == nil)
      // A cursor tells nothing of other orgs.
      #expect(try call("GET", "/workspaces?after=\(other)", token: token).status == 404)
      #expect(
        try call("GET", "/workspaces?after=\(RelayAccessTests.unknown)", token: token).status == 404
      )
      #expect(try call("GET", "/workspaces/\(mine)", token: token).status == 200)
      #expect(try call("GET", "/workspaces/\(other)", token: token).status == 404)
    }
    #expect(try call("GET", "/workspaces").json["workspaces"]?.array?.count == 4)
    // Another org is like an unknown one.
    for org in ["default", "no"] {
      let body = "{\"org\":\"\(org)\"}"
      let made = try call("POST", "/workspaces", token: admin, body: body)
      #expect(made.status == 404 && made.code == "not_found")
      let key = "{\"org\":\"\(org)\",\"scopes\":[\"send\"]}"
      #expect(try call("POST", "/org/tokens", token: admin, body: key).status == 404)
      #expect(try call("GET", "/org/tokens?org=\(org)", token: admin).status == 404)
    }
    let token = try register(mine, admin)
    #expect(try call("GET", "/workspaces/\(mine)/inbox?wait=0", token: token).status == 204)
    for (key, id) in [(read, mine), (admin, other), (admin, RelayAccessTests.unknown)] {
      let answer = try call(
        "POST", "/registry/register", token: key, body: "{\"id\":\"\(id)\"}")
      #expect(answer.status == 404 && answer.code == "not_found")
    }
    let minted = try call("POST", "/workspaces/\(mine)/tokens", token: admin)
    #expect(minted.status == 201)
    #expect(try call("POST", "/workspaces/\(mine)/tokens", token: read).status == 404)
    #expect(try call("GET", "/workspaces/\(mine)/tokens", token: read).json["count"]?.int == 2)
  }

  @Test func `an org's admin key makes and revokes keys of its org`() throws {
    let admin = try key("\"admin\"")
    let made = try call("POST", "/org/tokens", token: admin, body: "{\"scopes\":[\"send\"]}")
    #expect(made.status == 201 && made.json["org"]?.string == "acme")
    let id = try #require(made.json["id"]?.string)
    #expect(made.json["created_by"]?.string?.hasPrefix("org:acme ") == true)
    #expect(try call("GET", "/org/tokens", token: admin).json["count"]?.int == 2)
    let foreign = try call("POST", "/org/tokens", body: "{\"scopes\":[\"send\"]}")
    let foreignID = try #require(foreign.json["id"]?.string)
    #expect(try call("DELETE", "/org/tokens/\(foreignID)", token: admin).status == 404)
    #expect(try call("DELETE", "/org/tokens/\(id)", token: admin).status == 200)
    for scope in ["send", "read"] {
      let weak = try key("\"\(scope)\"")
      for (method, path) in [
        ("GET", "/org/tokens"), ("POST", "/org/tokens"), ("DELETE", "/org/tokens/\(id)"),
        ("POST", "/workspaces"), ("GET", "/orgs"), ("GET", "/admin/audit"),
      ] {
        #expect(try call(method, path, token: weak).status == 404, "\(scope) \(method) \(path)")
      }
    }
    for path in ["/orgs", "/admin/audit"] {
      #expect(try call("GET", path, token: admin).status == 404, "of the relay, not of an org")
    }
  }

  @Test func `keys call by their scope, agents by the hierarchy of their org`() throws {
    let admin = try key("\"admin\"")
    let ids = try (0..<4).map { _ in try workspace(admin) }
    let tokens = try ids.map { try register($0) }
    let foreign = try workspace(RelayScene.admin)
    let foreignToken = try register(foreign)
    func send(_ id: String, _ token: String) throws -> Int {
      try call(
        "POST", "/w/\(id)/", token: token, body: RelayScene.message(messageID: "\(token.hashValue)")
      ).status
    }
    // 0 ─ 1 ─ 2, and 3 beside 0.
    for (child, parent) in [(1, 0), (2, 1)] {
      let answer = try call(
        "PATCH", "/workspaces/\(ids[child])", token: admin,
        body: "{\"parent_id\":\"\(ids[parent])\"}")
      #expect(answer.json["parent_id"]?.string == ids[parent])
    }
    for one in 0..<4 {
      for other in 0..<4 {
        let isStrange = one != other && (one == 3 && other > 0 || other == 3 && one > 0)
        #expect(try send(ids[other], tokens[one]) == (isStrange ? 404 : 200), "\(one) \(other)")
      }
    }
    #expect(try send(ids[0], foreignToken) == 404)
    #expect(try send(foreign, tokens[0]) == 404)
    for (scopes, status) in [("\"send\"", 200), ("\"admin\"", 200), ("\"read\"", 404)] {
      let token = try key(scopes)
      #expect(try send(ids[2], token) == status, "\(scopes)")
      for id in [foreign, RelayAccessTests.unknown] { #expect(try send(id, token) == 404) }
    }
    // Where strangers may call, nobody is worse off for being known.
    #expect(
      try call("PATCH", "/workspaces/\(ids[2])", token: admin, body: "{\"callers\":\"agent\"}")
        .status == 200)
    for token in [tokens[3], foreignToken] { #expect(try send(ids[2], token) == 200) }
    // A key that only reads is a stranger there, and no caller of its org.
    let body = RelayScene.message(messageID: "equal")
    let answers = try ["send", "admin", "read"].map { scope in
      try call("POST", "/w/\(ids[2])/", token: try key("\"\(scope)\""), body: body)
    }
    #expect(answers.allSatisfy { $0.status == 200 })
    #expect(answers.map { $0.field("x-relay-receipt") != nil } == [false, false, true])
  }

  @Test func `a change names what cannot be changed, and a parent is of the same org`() throws {
    let admin = try key("\"admin\"")
    let mine = try workspace(admin, "{\"name\":\"m\",\"runtime\":\"external\",\"external\":true}")
    let other = try workspace(RelayScene.admin)
    func change(_ body: String) throws -> HTTPTestClient.Answer {
      try call("PATCH", "/workspaces/\(mine)", token: admin, body: body)
    }
    let unknown = try change("{\"nmae\":\"x\"}")
    #expect(unknown.code == "bad_request" && unknown.text.contains("name, parent_id, callers"))
    for body in [
      "{\"card_at\":1}", "{\"name\":7}", "{\"callers\":\"all\"}", "{\"parent_id\":\"x\"}",
      "{\"parent_id\":7}", "[]", "{\"parent_id\":\"\(other)\"}", "{\"parent_id\":\"\(mine)\"}",
      "{\"parent_id\":\"\(RelayAccessTests.unknown)\"}",
    ] {
      #expect(try change(body).status == 400, "\(body)")
    }
    let texts = try [other, RelayAccessTests.unknown].map { id in
      try change("{\"parent_id\":\"\(id)\"}").text
    }
    #expect(texts[0] == texts[1], "whether it exists is not told")
    let done = try change("{\"name\":\"n\",\"when_offline\":\"error\",\"keep_alive\":false}")
    #expect(done.status == 200 && done.json["name"]?.string == "n")
    let shown = try call("GET", "/workspaces/\(mine)", token: admin).json
    #expect(shown["settings"]?["when_offline"]?.string == "error")
    #expect(shown["settings"]?["keep_alive"]?.bool == false)
    #expect(shown["settings"]?["callers"]?.string == "relay")
    let child = try workspace(admin, "{\"parent_id\":\"\(mine)\"}")
    #expect(
      try call("GET", "/workspaces/\(child)", token: admin).json["parent_id"]?.string == mine)
    let lost = try call(
      "POST", "/workspaces", token: admin, body: "{\"parent_id\":\"\(other)\"}")
    #expect(lost.status == 400)
  }

  @Test func `the audit says who did what, newest first, in pages`() throws {
    let secret = try key("\"admin\"")
    let mine = try workspace(secret)
    _ = try register(mine, nil)
    let all = try call("GET", "/admin/audit").json["entries"]?.array ?? []
    #expect(
      all.map { $0["action"]?.string } == [
        "workspace.register", "workspace.create", "key.mint", "org.create",
      ])
    let fingerprint = SHA256.hash(Array(secret.utf8)).hex.prefix(8)
    #expect(all[1]["actor"]?.string == "org:acme \(fingerprint)")
    #expect(all[0]["actor"]?.string == "anonymous" && all[0]["target"]?.string == mine)
    #expect(all[0]["detail"]?.string?.contains("from 127.0.0.1") == true)
    let first = try call("GET", "/admin/audit?limit=3").json
    let next = try #require(first["next"]?.string)
    let rest = try call("GET", "/admin/audit?limit=3&after=\(next)").json
    let pages = (first["entries"]?.array ?? []) + (rest["entries"]?.array ?? [])
    #expect(pages == all)
    #expect(rest["entries"]?.array?.count == 1 && rest["next"] == nil)
    let text = try call("GET", "/admin/audit").text
    #expect(!text.contains(secret.dropFirst(5)))
    for query in ["limit=0", "limit=501", "after=x", "after=0"] {
      #expect(try call("GET", "/admin/audit?\(query)").code == "bad_parameter")
    }
  }
}
