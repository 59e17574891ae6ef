import Engine
import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// Who may do what, on every route: decided before a body is read.
@Suite struct RelayAccessTests {
  let scene: RelayScene
  let other: (id: String, token: String)
  /// A new connection: a refusal that reads no body ends its own.
  var client: HTTPTestClient { get throws { try scene.connect() } }
  static let unknown = "11111111-2222-4333-8444-555555555555"
  static let message = "00000000-0000-8000-8001-000000000001"

  init() throws {
    scene = try RelayScene()
    other = try RelayScene.make(scene.connect())
  }

  /// The answer without what changes with time.
  private func bytes(_ answer: HTTPTestClient.Answer) -> String {
    let fields = (0..<(answer.head?.headers.count ?? 0)).compactMap { index -> String? in
      guard let headers = answer.head?.headers, headers.name(at: index).lowercased() != "date"
      else { return nil }
      return "\(headers.name(at: index)): \(headers.value(at: index))"
    }
    return "\(answer.status)\n\(fields.joined(separator: "\n"))\n\n\(answer.text)"
  }

  private struct Target {
    var method: String
    var path: String
    var body = ""
  }

  private func agentRoutes(_ id: String) -> [Target] {
    ["claim", "extend", "release", "result"].map {
      Target(method: "POST", path: "/workspaces/\(id)/inbox/\(Self.message)/\($0)", body: "{}")
    } + [
      Target(method: "GET", path: "/workspaces/\(id)/inbox?wait=0"),
      Target(method: "POST", path: "/workspaces/\(id)/inbox/batch", body: "{}"),
    ]
  }

  @Test func `without a valid credential agents' routes are the same for every id`() throws {
    for token in [nil, "wrong", "rtok_wrong"] {
      for (mine, nobodys) in zip(agentRoutes(scene.id), agentRoutes(Self.unknown)) {
        let known = try client.call(mine.method, mine.path, token: token, body: mine.body)
        let unknown = try scene.connect().call(
          nobodys.method, nobodys.path, token: token, body: nobodys.body)
        #expect(known.status == 401 && known.field("www-authenticate") != nil)
        #expect(bytes(known) == bytes(unknown))
      }
    }
  }

  @Test func `an agent's routes are for its own token`() throws {
    for id in [scene.id, Self.unknown] {
      for target in agentRoutes(id) {
        for token in [other.token, RelayScene.admin] {
          let answer = try client.call(target.method, target.path, token: token, body: target.body)
          #expect(answer.status == 404 && answer.code == "not_found")
        }
      }
    }
    let own = try client.call("GET", "/workspaces/\(scene.id)/inbox?wait=0", token: scene.token)
    #expect(own.status == 204)
  }

  @Test func `operators' routes are for the admin token`() throws {
    let routes = [
      Target(method: "GET", path: "/workspaces"), Target(method: "POST", path: "/workspaces"),
      Target(method: "GET", path: "/workspaces/\(scene.id)"),
      Target(method: "GET", path: "/workspaces/\(Self.unknown)"),
      Target(method: "GET", path: "/workspaces/\(scene.id)/messages/\(Self.message)"),
    ]
    for target in routes {
      for token in [nil, "wrong"] {
        #expect(try client.call(target.method, target.path, token: token).status == 401)
      }
      let answer = try client.call(target.method, target.path, token: scene.token)
      #expect(answer.status == 404)
    }
  }

  @Test func `callers show a key or a bearer that the relay knows, for any id the same`() throws {
    let body = RelayScene.message()
    for fields in [[], [("X-Relay-Key", "wrong")], [("Authorization", "Basic eDp5")]] {
      let known = try client.call("POST", "/w/\(scene.id)/", fields: fields, body: body)
      let unknown = try client.call("POST", "/w/\(Self.unknown)/", fields: fields, body: body)
      let rest = try client.call(
        "POST", "/w/\(scene.id)/v1/message:send", fields: fields, body: body)
      #expect(known.status == 401 && rest.status == 401)
      #expect(bytes(known) == bytes(unknown))
    }
    // A key that is wrong is not made good by a bearer.
    let both = try client.call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin, fields: [("X-Relay-Key", "wrong")],
      body: body)
    #expect(both.status == 401)
    for (token, name) in [(RelayScene.admin, "X-Relay-Key"), (other.token, "X-Relay-Key")] {
      let answer = try client.call(
        "POST", "/w/\(scene.id)/", fields: [(name, token)], body: body)
      #expect(answer.state == "submitted")
    }
    #expect(
      try client.call("POST", "/w/\(scene.id)", token: scene.token, body: body).state
        == "submitted", "an agent may call itself")
    let missing = try client.call(
      "POST", "/w/\(Self.unknown)/", token: RelayScene.admin, body: body)
    #expect(missing.status == 404)
  }

  @Test(arguments: ["relay", "agent"])
  func `messages queue before an agent has registered, of those alone who may call`(
    callers: String
  ) throws {
    let made = try client.call(
      "POST", "/workspaces", token: RelayScene.admin, body: "{\"callers\":\"\(callers)\"}")
    let id = try #require(made.json["id"]?.string)
    let neighbour = try RelayScene.make(try client)
    let body = RelayScene.message()
    // Who may not call, hears the same of an id that does not exist.
    for path in ["/w/ID/", "/workspaces/ID/a2a", "/w/ID/x", "/w/ID/v1/message:send"] {
      for field in [nil, ("X-Relay-Key", "wrong"), ("Authorization", "Bearer rtok_wrong")] {
        let fields = field.map { [$0] } ?? []
        let there = try client.call(
          "POST", path.replacing("ID", with: id), fields: fields, body: body)
        let nowhere = try client.call(
          "POST", path.replacing("ID", with: Self.unknown), fields: fields, body: body)
        #expect(there.status == 401 && there.text == nowhere.text, "\(path)")
      }
    }
    var sent: [String] = []
    for token in [RelayScene.admin, neighbour.token] {
      for path in ["/w/\(id)/", "/workspaces/\(id)/a2a"] {
        let answer = try client.call("POST", path, token: token, body: body)
        #expect(answer.status == 200 && answer.json["result"] != nil, "\(path) \(answer.text)")
        let message = try #require(answer.field("x-relay-message-id"))
        sent.append(message)
        let item = try client.call(
          "GET", "/workspaces/\(id)/a2a/queue/\(message)", token: token)
        #expect(item.json["status"] == "queued")
        #expect(try client.call("GET", "/messages/\(message)", token: token).status == 200)
      }
    }
    // What is in it is for the agent that an operator lets in, and for no first comer.
    let register = "{\"id\":\"\(id)\"}"
    #expect(try client.call("POST", "/registry/register", body: register).status == 401)
    let agent = try client.call(
      "POST", "/registry/register", token: RelayScene.admin, body: register)
    let entries = try client.call(
      "GET", "/workspaces/\(id)/inbox?wait=5&max=9", token: agent.json["auth_token"]?.string)
    #expect(
      Set(entries.json["messages"]?.array?.compactMap { $0["id"]?.string } ?? []) == Set(sent))
  }

  @Test func `with callers agent everybody may call, and a wrong key is still wrong`() throws {
    let open = try RelayScene.make(try client, settings: ",\"callers\":\"agent\"")
    let body = RelayScene.message()
    #expect(try client.call("POST", "/w/\(open.id)/", body: body).state == "submitted")
    // Another Authorization is the agent's business.
    let own = try client.call("POST", "/w/\(open.id)/", token: "agents-own", body: body)
    #expect(own.state == "submitted")
    let wrong = try client.call(
      "POST", "/w/\(open.id)/", fields: [("X-Relay-Key", "x")], body: body)
    #expect(wrong.status == 401)
  }

  @Test func `a stranger reads its message with its receipt, and no other`() throws {
    let open = try RelayScene.make(try client, settings: ",\"callers\":\"agent\"")
    func send(_ path: String, token: String? = nil) throws -> (id: String, receipt: String?) {
      let sent = try client.call("POST", path, token: token, body: RelayScene.message())
      return (try #require(sent.field("x-relay-message-id")), sent.field("x-relay-receipt"))
    }
    func ask(_ path: String, _ receipt: String?) throws -> HTTPTestClient.Answer {
      let fields = receipt.map { [("X-Relay-Receipt", $0)] } ?? []
      return try client.call("GET", path, fields: fields)
    }
    let one = try send("/w/\(open.id)/")
    let two = try send("/workspaces/\(open.id)/a2a")
    #expect(one.id != two.id && one.receipt != two.receipt && one.receipt?.utf8.count == 43)
    for sent in [one, two] {
      let shown = try ask("/messages/\(sent.id)", sent.receipt)
      #expect(shown.status == 200 && shown.json["state"] == "stored")
      let item = try ask("/workspaces/\(open.id)/a2a/queue/\(sent.id)", sent.receipt)
      #expect(item.status == 200 && item.json["status"] == "queued")
    }
    // Who shows none, or another's, hears the same of what exists and what does not.
    for receipt in [nil, two.receipt, "", "x", one.id] {
      let refused = try [one.id, Self.message].map { try ask("/messages/\($0)", receipt) }
      #expect(refused[0].status == 401 && bytes(refused[0]) == bytes(refused[1]))
    }
    #expect(try send("/w/\(open.id)/", token: RelayScene.admin).receipt == nil)
    // A key that only reads is a stranger there, whatever names the workspace.
    let key = try client.call(
      "POST", "/org/tokens", token: RelayScene.admin, body: "{\"scopes\":[\"read\"]}")
    let sent = try client.call(
      "POST", "/a2a", token: try #require(key.json["auth_token"]?.string),
      fields: [("X-Target-Workspace-ID", open.id)], body: RelayScene.message())
    let third = try #require(sent.field("x-relay-message-id"))
    #expect(try ask("/messages/\(third)", sent.field("x-relay-receipt")).status == 200)
    // A receipt is of a message that was sent without a credential, and of no other.
    let known = try send("/w/\(scene.id)/", token: other.token)
    #expect(known.receipt == nil)
    #expect(try ask("/messages/\(known.id)", one.receipt).status == 401)
  }

  @Test func `a caller sees its own messages, the admin all`() throws {
    let sent = try client.call(
      "POST", "/w/\(scene.id)/", token: other.token, body: RelayScene.message())
    let message = try #require(sent.field("x-relay-message-id"))
    #expect(try client.call("GET", "/messages/\(message)", token: other.token).status == 200)
    #expect(try client.call("GET", "/messages/\(message)", token: RelayScene.admin).status == 200)
    #expect(try client.call("GET", "/messages/\(message)", token: scene.token).status == 404)
    #expect(try client.call("GET", "/messages/\(message)").status == 401)
    #expect(try client.call("GET", "/messages/\(message)", token: "wrong").status == 401)
    #expect(try client.call("GET", "/messages/\(Self.message)", token: other.token).status == 404)
    #expect(try client.call("GET", "/messages/none", token: other.token).status == 404)
    let head = try client.call("HEAD", "/messages/\(message)", token: other.token)
    #expect(head.status == 200 && head.body.isEmpty)
  }

  @Test(arguments: [
    "token", "key", "access_token", "api_key", "code", "X-Amz-Signature", "%74oken", "other",
  ]) func `a query is neither a credential nor stored`(name: String) throws {
    let query = "?a=1&\(name)=\(other.token)"
    for path in ["/w/\(scene.id)/", "/workspaces/\(scene.id)/a2a"] {
      let refused = try scene.connect().call("POST", path + query, body: RelayScene.message())
      #expect(refused.status == 401)
      let sent = try client.call(
        "POST", path + query, token: other.token,
        fields: [
          ("Referer", "http://relay/\(query)"), ("X-Original-URL", query),
          ("X-Original-URI", query), ("X-Forwarded-Uri", query), ("X-Rewrite-Url", query),
        ], body: RelayScene.message(messageID: path))
      #expect(sent.status == 200)
      let entry = try client.call(
        "GET", "/workspaces/\(scene.id)/inbox?wait=10&token=x", token: scene.token)
      #expect(entry.text.contains("\"path\":\"\(path)\""), "\(entry.text)")
      #expect(!entry.text.contains(other.token) && !entry.text.contains("a=1"))
    }
    scene.server.stop()
    scene.server.ended()
    let files = try RelayFiles.contents(scene.server.path)
    #expect(files.contains("hello") && !files.contains(other.token))
  }

  @Test func `no credential of a caller is stored`() throws {
    let card = """
      {"id":"\(scene.id)","agent_card":{"name":"A","securitySchemes":{
      "k":{"type":"apiKey","in":"header","name":"X-Api-Key"},
      "q":{"apiKeySecurityScheme":{"location":"query","name":"key"}}}}}
      """
    #expect(
      try client.call("POST", "/registry/register", token: scene.token, body: card).status == 200)
    let sent = try client.call(
      "POST", "/w/\(scene.id)/?key=secret-1", token: other.token,
      fields: [
        ("Cookie", "secret-2"), ("X-API-KEY", "secret-3"), ("X-Relay-Caller", "secret-4"),
        ("X-Other", "kept"), ("Proxy-Authorization", "secret-5"),
      ], body: RelayScene.message())
    #expect(sent.status == 200)
    let entry = try client.call(
      "GET", "/workspaces/\(scene.id)/inbox?wait=0", token: scene.token)
    #expect(entry.text.contains("kept") && !entry.text.contains("secret"))
    #expect(!entry.text.contains(other.token))
    scene.server.stop()
    scene.server.ended()
    let files = try RelayFiles.contents(scene.server.path)
    #expect(files.contains("kept") && files.contains("hello"))
    for secret in ["secret-1", "secret-2", "secret-3", other.token, scene.token, RelayScene.admin] {
      #expect(!files.contains(secret))
    }
  }
}
