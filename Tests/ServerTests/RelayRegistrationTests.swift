import Engine
import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// Who may become a workspace's agent.
@Suite struct RelayRegistrationTests {
  private func create(_ client: HTTPTestClient) throws -> String {
    let made = try client.call("POST", "/workspaces", token: RelayScene.admin, body: "{}")
    #expect(made.status == 201 && made.field("location") != nil)
    return try #require(made.json["id"]?.string)
  }

  private func register(
    _ client: HTTPTestClient, _ id: String, token: String? = nil, more: String = ""
  ) throws -> HTTPTestClient.Answer {
    try client.call(
      "POST", "/registry/register", token: token, body: "{\"id\":\"\(id)\"\(more)}")
  }

  @Test func `no URL with a password in it is stored or published`() throws {
    let server = try RelayTestServer()
    let client = try HTTPTestClient(server)
    let id = try create(client)
    let url = "https://ann:passw0rd@agent.example/x"
    for more in [
      ",\"url\":\"\(url)\"", ",\"agent_card\":{\"url\":\"\(url)\"}",
      ",\"agent_card\":{\"provider\":{\"organization\":\"o\",\"url\":\"\(url)\"}}",
      ",\"agent_card\":{\"iconUrl\":\"\(url)\"}",
      ",\"agent_card\":{\"x\":[{\"y\":\"https:\\/\\/ann:passw0rd\\u0040agent.example\"}]}",
    ] {
      let refused = try register(client, id, token: RelayScene.admin, more: more)
      #expect(refused.status == 400 && refused.code == "bad_request", "\(more)")
      #expect(refused.text.contains("user name or password"))
      #expect(!refused.text.contains("passw0rd"))
    }
    let registered = try register(client, id, token: RelayScene.admin)
    let token = try #require(registered.json["auth_token"]?.string)
    let updated = try client.call(
      "POST", "/registry/update-card", token: token,
      body: "{\"workspace_id\":\"\(id)\",\"agent_card\":{\"documentationUrl\":\"\(url)\"}}")
    #expect(updated.status == 400 && updated.text.contains("documentationUrl"))
    server.stop()
    server.ended()
    #expect(try !RelayFiles.contents(server.path).contains("passw0rd"))
  }

  @Test func `a workspace is claimed once, without a bearer`() throws {
    let server = try RelayTestServer()
    let client = try HTTPTestClient(server)
    let id = try create(client)
    let first = try register(client, id)
    #expect(first.status == 200)
    #expect(first.json["delivery_mode"]?.string == "poll")
    #expect(first.json["relay"]?["public_url"]?.string == "http://relay/w/\(id)/")
    let token = try #require(first.json["auth_token"]?.string)
    #expect(token.hasPrefix("rtok_"))
    for (name, value) in [("id", id), ("workspace_id", id), ("org_id", "default")] {
      #expect(first.json[name]?.string == value)
    }
    #expect(first.json["expires_at"]?.isNull == true)
    #expect(first.json["status"]?.string == "registered")
    #expect(try register(client, id).status == 401)
    let again = try register(client, id, token: token)
    #expect(again.status == 200 && again.json["auth_token"] == nil)
    #expect(
      try register(client, RelayAccessTests.unknown).status == 401, "as for one that exists")
    #expect(try register(client, RelayAccessTests.unknown, token: RelayScene.admin).status == 404)
  }

  @Test func `of two claims at once one wins`() throws {
    let server = try RelayTestServer()
    let (one, two) = (try HTTPTestClient(server), try HTTPTestClient(server))
    let id = try create(one)
    let body = "{\"id\":\"\(id)\"}"
    try one.begin("POST", "/registry/register", body: body)
    try two.begin("POST", "/registry/register", body: body)
    let statuses = [try one.answer().status, try two.answer().status].sorted()
    #expect(statuses == [200, 401])
  }

  @Test func `who claimed a workspace, and from where, is shown to operators`() throws {
    let server = try RelayTestServer()
    let client = try HTTPTestClient(server)
    let id = try create(client)
    let claimed = try client.call(
      "POST", "/registry/register",
      fields: [("X-Forwarded-For", "192.0.2.7"), ("X-Relay-Caller", "admin")],
      body: "{\"id\":\"\(id)\"}")
    #expect(claimed.status == 200)
    let shown = try client.call("GET", "/workspaces/\(id)", token: RelayScene.admin).json
    let listed = try client.call("GET", "/workspaces/\(id)/tokens", token: RelayScene.admin).json
    let row = try #require(listed["tokens"]?.array?.first)
    for json in [shown, row] {
      #expect(json["claimed_from"]?.string == "127.0.0.1", "the peer, whatever it says")
      #expect(json["claimed_via"]?.string == "192.0.2.7")
    }
    #expect(shown["claimed_by"]?.string == "anonymous" && shown["claimed_at"]?.string != nil)
    #expect(row["created_by"]?.string == "anonymous")
    let other = try create(client)
    #expect(try register(client, other, token: RelayScene.admin).status == 200)
    let made = try client.call("GET", "/workspaces/\(other)", token: RelayScene.admin).json
    #expect(made["claimed_by"]?.string == "admin" && made["claimed_from"] == nil)
  }

  @Test func `closed takes credentials only`() throws {
    let server = try RelayTestServer(.closed)
    let client = try HTTPTestClient(server)
    let id = try create(client)
    #expect(try register(client, id).status == 401)
    #expect(try register(try HTTPTestClient(server), id, token: "wrong").status == 401)
    let admin = try register(try HTTPTestClient(server), id, token: RelayScene.admin)
    #expect(admin.status == 200 && admin.json["auth_token"] != nil)
  }

  @Test func `open makes the workspace of an unknown id, once`() throws {
    let server = try RelayTestServer(.open)
    let client = try HTTPTestClient(server)
    let id = RelayAccessTests.unknown
    let first = try register(client, id, more: ",\"agent_card\":{\"name\":\"Eve\"}")
    #expect(first.json["auth_token"] != nil)
    #expect(try register(client, id).status == 401)
    let shown = try client.call("GET", "/workspaces/\(id)", token: RelayScene.admin)
    #expect(shown.json["name"]?.string == "Eve" && shown.json["claimed"]?.bool == true)
  }

  @Test func `another workspace's token registers nobody`() throws {
    let scene = try RelayScene()
    let id = try create(scene.client)
    #expect(try register(scene.client, id, token: scene.token).status == 401)
  }

  @Test func `what an agent says of itself is read strictly`() throws {
    let scene = try RelayScene { $0.cardBytesMax = 2000 }
    let large = String(repeating: "x", count: 2500)
    for more in [
      ",\"agent_card\":7", ",\"agent_card\":[]", ",\"agent_card\":{\"name\":7}",
      ",\"agent_card\":{\"description\":\"\(large)\"}", ",\"url\":\"\(large)\"",
    ] {
      let answer = try register(scene.client, scene.id, token: scene.token, more: more)
      #expect(answer.status == 400, "\(more.prefix(40))")
    }
    let null = try register(
      scene.client, scene.id, token: scene.token, more: ",\"agent_card\":null,\"name\":3")
    #expect(null.status == 200)
    for body in ["{}", "{\"id\":7}", "{\"id\":\"x\"}"] {
      let answer = try scene.client.call(
        "POST", "/registry/register", token: scene.token, body: body)
      #expect(answer.status == 400)
    }
    for body in ["", "[]", "{", "nonsense"] {
      let answer = try scene.client.call(
        "POST", "/registry/register", token: scene.token, body: body)
      #expect(answer.status == 400)
    }
    // Before a credential is known no more is read than a card can have.
    let flood = try scene.client.call(
      "POST", "/registry/register", body: String(repeating: " ", count: 5000))
    #expect(flood.status == 413)
  }

  @Test func `a workspace has a bounded number of tokens, and the refusal says so`() throws {
    let scene = try RelayScene { $0.tokensPerWorkspaceMax = 2 }
    #expect(try register(scene.client, scene.id, token: RelayScene.admin).status == 200)
    let refused = try register(scene.client, scene.id, token: RelayScene.admin)
    #expect(refused.status == 409 && refused.code == "tokens_full")
    #expect(refused.text.contains("live tokens"))
    #expect(try register(scene.client, scene.id, token: scene.token).status == 200)
  }

  @Test func `an operator sees what it has set, with or without a slash`() throws {
    let scene = try RelayScene()
    let card = ",\"agent_card\":{\"name\":\"Ada\"}"
    #expect(try register(scene.client, scene.id, token: scene.token, more: card).status == 200)
    for path in ["/workspaces/\(scene.id)", "/workspaces/\(scene.id)/"] {
      let shown = try scene.client.call("GET", path, token: RelayScene.admin)
      #expect(shown.json["settings"]?.object?.count == 3, "\(path)")
      #expect(shown.status == 200 && shown.json["settings"]?["card_at"] == nil)
    }
  }

  @Test func `workspaces are listed in pages`() throws {
    let server = try RelayTestServer()
    let client = try HTTPTestClient(server)
    let ids = try (0..<5).map { _ in try create(client) }
    let first = try client.call("GET", "/workspaces?limit=3", token: RelayScene.admin)
    #expect(first.json["workspaces"]?.array?.map { $0["id"]?.string } == Array(ids[..<3]))
    let next = try #require(first.json["next"]?.string)
    let rest = try client.call("GET", "/workspaces?after=\(next)", token: RelayScene.admin)
    #expect(rest.json["workspaces"]?.array?.map { $0["id"]?.string } == Array(ids[3...]))
    #expect(rest.json["next"] == nil)
    for query in ["limit=0", "limit=x", "limit=501", "after=x"] {
      let answer = try client.call("GET", "/workspaces?\(query)", token: RelayScene.admin)
      #expect(answer.status == 400)
      let name = query.prefix { $0 != "=" }
      #expect(answer.json["error"]?.string?.contains("\(name) must be") == true, "\(answer.text)")
    }
  }

  @Test func `settings are checked, and an id is taken once`() throws {
    let server = try RelayTestServer()
    let client = try HTTPTestClient(server)
    for body in [
      "{\"callers\":\"x\"}", "{\"when_offline\":7}", "{\"keep_alive\":\"yes\"}", "{\"id\":\"x\"}",
      "{\"name\":\"\(String(repeating: "n", count: 201))\"}", "[]", "{",
    ] {
      let answer = try client.call("POST", "/workspaces", token: RelayScene.admin, body: body)
      #expect(answer.status == 400, "\(body.prefix(30))")
    }
    let body = "{\"id\":\"\(RelayAccessTests.unknown)\",\"card_at\":-9223372036854775808}"
    #expect(
      try client.call("POST", "/workspaces", token: RelayScene.admin, body: body).status == 201)
    let twice = try client.call("POST", "/workspaces", token: RelayScene.admin, body: body)
    #expect(twice.status == 409 && twice.code == "workspace_exists")
    let card = "/w/\(RelayAccessTests.unknown)/.well-known/agent-card.json"
    #expect(try client.call("GET", card).status == 200)
  }

  @Test func `a heartbeat is for the agent whose token it shows`() throws {
    let scene = try RelayScene()
    let beat = { (token: String?, body: String) in
      try scene.connect().call("POST", "/registry/heartbeat", token: token, body: body)
    }
    #expect(try beat(scene.token, "{\"workspace_id\":\"\(scene.id)\"}").status == 200)
    #expect(try beat(scene.token, "").status == 200)
    #expect(
      try beat(scene.token, "{\"workspace_id\":\"\(RelayAccessTests.unknown)\"}").status == 404)
    #expect(try beat(nil, "{}").status == 401)
    #expect(try beat("wrong", "{}").status == 401)
    #expect(try beat(RelayScene.admin, "{}").status == 404)
    let shown = try scene.client.call(
      "GET", "/workspaces/\(scene.id)", token: RelayScene.admin)
    #expect(shown.json["status"]?.string == "online")
  }
}
