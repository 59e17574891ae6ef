import Engine
import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// What the platform's clients send, over real connections.
@Suite struct RelayPlatformTests {
  let scene: RelayScene
  let other: (id: String, token: String)
  var client: HTTPTestClient { get throws { try scene.connect() } }

  init() throws {
    scene = try RelayScene { $0.keepAlive = .milliseconds(10) }
    other = try RelayScene.make(scene.connect())
  }

  static func body(_ text: String, more: String = "", role: String? = nil, id: String = "1")
    -> String
  {
    let role = role.map { ",\"role\":\"\($0)\"" } ?? ""
    return "{\"jsonrpc\":\"2.0\",\"id\":\(id),\"method\":\"message/send\",\"params\":{\"message\":"
      + "{\"parts\":[{\"kind\":\"text\",\"text\":\"\(text)\"}]\(role)}\(more)}}"
  }

  private func post(
    _ path: String, _ body: String, token: String?, _ fields: (String, String)...
  ) throws -> HTTPTestClient.Answer {
    try client.call("POST", path, token: token, fields: fields, body: body)
  }

  private func entry(_ who: (id: String, token: String)) throws -> JSON? {
    try client.call("GET", "/workspaces/\(who.id)/inbox?wait=0", token: who.token).entry
  }

  private var mine: (id: String, token: String) { (scene.id, scene.token) }

  // MARK: targets

  @Test func `a call that names nobody is for the bearer's own workspace, with any type of id`()
    throws
  {
    for id in ["1", "\"a\"", "null", "1.5"] {
      let answer = try post(
        "/a2a", Self.body("x\(id.utf8.count)", id: id), token: scene.token,
        ("X-Workspace-ID", scene.id))
      #expect(answer.status == 200)
      #expect(answer.text.hasPrefix("{\"jsonrpc\":\"2.0\",\"id\":\(id),\"result\":{"))
      #expect(answer.text.contains("\"status\":\"queued\",\"delivery_mode\":\"poll\""))
      #expect(answer.json["queue_id"]?.string == answer.field("x-relay-message-id"))
      let taken = try entry(mine)
      #expect(taken?["id"]?.string == answer.json["queue_id"]?.string)
      #expect(taken?["caller"]?.string == "workspace:\(scene.id)")
      // Its answer.
      let done = try post("/a2a", Self.body("done", role: "agent"), token: scene.token)
      #expect(done.state == "completed")
    }
  }

  @Test func `the first that names a target counts`() throws {
    let names: [(header: String?, more: String)] = [
      (other.id, ",\"metadata\":{\"target_workspace_id\":\"\(scene.id)\"}"),
      (nil, ",\"metadata\":{\"target_workspace_id\":\"\(other.id)\",\"to\":\"\(scene.id)\"}"),
      (nil, ",\"metadata\":{\"to\":\"\(other.id)\"},\"to\":\"\(scene.id)\""),
      (nil, ",\"to\":\"\(other.id)\""),
    ]
    for (header, more) in names {
      for token in [scene.token, RelayScene.admin] {
        let fields = header.map { [("X-Target-Workspace-ID", $0)] } ?? []
        let answer = try client.call(
          "POST", "/a2a", token: token, fields: fields + [("X-Workspace-ID", scene.id)],
          body: Self.body("x", more: more))
        #expect(answer.json["status"]?.string == "queued")
        #expect(try entry(other)?["id"]?.string == answer.json["queue_id"]?.string)
      }
    }
    let named = try post(
      "/a2a", Self.body("x"), token: RelayScene.admin, ("X-Workspace-ID", other.id))
    #expect(try entry(other)?["id"]?.string == named.json["queue_id"]?.string)
  }

  @Test func `without a target, or with one that is not there, nothing is stored`() throws {
    let none = try post("/a2a", Self.body("x", id: "7"), token: RelayScene.admin)
    #expect(none.status == 400 && none.rpcCode == -32602 && none.json["id"]?.int == 7)
    for token in [scene.token, RelayScene.admin] {
      for target in [RelayAccessTests.unknown, "x", ""] {
        let answer = try post(
          "/a2a", Self.body("x", more: ",\"to\":\"\(target)\""), token: token)
        #expect(answer.status == 404 && answer.rpcCode == -32603)
      }
      let path = try post(
        "/workspaces/\(RelayAccessTests.unknown)/a2a", Self.body("x"), token: token)
      #expect(path.status == 404 && path.code == "not_found")
    }
  }

  // MARK: callers

  @Test func `the bearer alone says who calls, and a header that contradicts it is refused`() throws
  {
    for path in ["/a2a", "/workspaces/\(other.id)/a2a"] {
      for named in [other.id, RelayAccessTests.unknown, "x"] {
        let answer = try post(path, Self.body("x"), token: scene.token, ("X-Workspace-ID", named))
        #expect(answer.status == 401 && answer.code == "unauthorized")
      }
      for named in ["webhook:x", "system:x", "test:x", "channel:x"] {
        for token in [scene.token, RelayScene.admin] {
          let answer = try post(path, Self.body("x"), token: token, ("X-Workspace-ID", named))
          #expect(answer.status == 403 && answer.json["error"]?.string == "invalid caller ID")
        }
      }
    }
    // Clients of which some send no such header at all, and some another.
    let bare = try post(
      "/workspaces/\(other.id)/a2a", Self.body("x"), token: scene.token,
      ("X-Source-Workspace-Id", RelayAccessTests.unknown))
    #expect(bare.json["status"]?.string == "queued")
    #expect(try entry(other)?["caller"]?.string == "workspace:\(scene.id)")
    #expect(try entry(mine) == nil)
  }

  @Test func `without a good credential the platform's routes are the same for every id`() throws {
    let message = RelayAccessTests.message
    let routes = [
      ("POST", "/workspaces/ID/a2a"), ("GET", "/workspaces/ID/a2a/queue/\(message)"),
      ("GET", "/workspaces/ID/secrets"), ("PUT", "/workspaces/ID/secrets"),
      ("POST", "/workspaces/ID/secrets"), ("GET", "/workspaces/ID/secrets/values"),
      ("DELETE", "/workspaces/ID/secrets/KEY"), ("GET", "/workspaces/ID/state"),
      ("POST", "/registry/update-card"), ("POST", "/a2a"), ("GET", "/secrets"),
      ("GET", "/secrets/values"),
    ]
    for (method, path) in routes {
      for token in [nil, "wrong"] {
        let answers = try [scene.id, RelayAccessTests.unknown].map { id in
          try client.call(
            method, path.replacing("ID", with: id), token: token, body: Self.body("x"))
        }
        #expect(answers.allSatisfy { $0.status == 401 && $0.code == "unauthorized" }, "\(path)")
        #expect(answers[0].text == answers[1].text)
        #expect(answers[0].field("www-authenticate") != nil)
      }
      guard path.contains("ID"), !path.hasSuffix("a2a") else { continue }
      let stranger = try [scene.id, RelayAccessTests.unknown].map { id in
        try client.call(
          method, path.replacing("ID", with: id), token: other.token, body: Self.body("x"))
      }
      #expect(stranger.allSatisfy { $0.status == 404 }, "\(path)")
      #expect(stranger[0].text == stranger[1].text)
    }
  }

  // MARK: waiting

  @Test func `while an agent polls the caller waits for its answer, without white space`() throws {
    let agent = try client
    try agent.begin("GET", "/workspaces/\(scene.id)/inbox?wait=10", token: scene.token)
    while try client.call("GET", "/workspaces/\(scene.id)", token: RelayScene.admin)
      .json["queue"]?["parked_polls"]?.int != 1
    {}
    let caller = try client
    try caller.begin("POST", "/a2a", token: scene.token, body: Self.body("hello"))
    let taken = try #require(try agent.answer().entry)
    let held = (
      id: taken["id"]?.string ?? "", lease: taken["lease"]?["token"]?.string ?? ""
    )
    // Longer than white space would take to come.
    for _ in 0..<20 { _ = try scene.client.call("GET", "/health") }
    #expect(try scene.verb("result", held, "{\"text\":\"hi\"}").status == 200)
    let answer = try caller.answer()
    #expect(answer.field("content-length") != nil && answer.body.first == UInt8(ascii: "{"))
    #expect(answer.json["result"]?["parts"]?.array?.first?["text"]?.string == "hi")
  }

  @Test func `a caller that says how long it waits is held so long, an agent's answer never`()
    throws
  {
    for field in [("X-Timeout", "1"), ("Prefer", "wait=1")] {
      let caller = try client
      try caller.begin(
        "POST", "/workspaces/\(scene.id)/a2a", token: RelayScene.admin, fields: [field],
        body: Self.body(field.0))
      let taken = try scene.take()
      #expect(try scene.verb("result", taken, "{\"text\":\"hi\"}").status == 200)
      #expect(try caller.answer().state == "completed")
    }
    for role in ["agent", "assistant"] {
      let answer = try post(
        "/workspaces/\(scene.id)/a2a", Self.body("x", role: role), token: other.token,
        ("X-Timeout", "300"))
      #expect(answer.json["status"]?.string == "queued")
    }
    for value in ["0", "-1", "x", "99999999999999999999"] {
      let answer = try post(
        "/workspaces/\(scene.id)/a2a", Self.body(value), token: other.token,
        ("X-Timeout", value))
      #expect(answer.json["status"]?.string == "queued", "nobody polls")
    }
  }

  @Test func `what is not understood is refused with 400`() throws {
    for (body, code) in [("", -32700), ("{", -32700), ("[]", -32600), ("{}", -32600)] {
      let answer = try post("/a2a", body, token: scene.token)
      #expect(answer.status == 400 && answer.rpcCode == code)
    }
    let none = try post(
      "/a2a", Self.body("x").replacing("parts", with: "nothing"), token: scene.token)
    #expect(none.status == 400 && none.rpcCode == -32602)
    #expect(try client.call("GET", "/a2a", token: scene.token).status == 405)
  }

  @Test func `what this relay has not of the platform is 501, and ends no client's loop`() throws {
    // Some stop for good at any 4xx.
    let base = "/workspaces/\(scene.id)"
    for path in [
      "\(base)/activity?type=a2a_receive&limit=50", "\(base)/memories", "\(base)/delegations",
      "/registry/\(scene.id)/peers", "/registry/discover/\(scene.id)",
    ] {
      let answer = try client.call("GET", path, token: scene.token)
      #expect(answer.status == 501 && answer.code == "unsupported", "\(path)")
    }
    for path in ["notify", "delegate", "broadcast", "restart", "plugins", "chat/uploads"] {
      #expect(try post("\(base)/\(path)", "{}", token: scene.token).status == 501)
    }
  }
}
