import Engine
import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// What callers see at a workspace's URL.
@Suite struct RelayCallerTests {
  private func post(
    _ scene: RelayScene, _ body: String, fields: [(String, String)] = [],
    client: HTTPTestClient? = nil
  ) throws -> HTTPTestClient.Answer {
    try (client ?? scene.connect()).call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin, fields: fields, body: body)
  }

  @Test func `a call goes to the agent and its result back`() throws {
    let scene = try RelayScene()
    let caller = try scene.connect()
    try caller.begin(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin,
      body: RelayScene.message(id: "\"a\"", blocking: true))
    let entry = try scene.take()
    #expect(try scene.verb("claim", entry).json["status"]?.string == "leased")
    #expect(try scene.verb("extend", entry, "{\"lease_seconds\":60}").status == 200)
    let result = try scene.verb("result", entry, "{\"text\":\"hi\"}")
    #expect(result.text == "{\"status\":\"accepted\"}")
    let answer = try caller.answer()
    #expect(answer.state == "completed" && answer.json["id"]?.string == "a")
    #expect(answer.field("x-relay-message-id") == entry.id)
    let shown = try scene.client.call("GET", "/messages/\(entry.id)", token: RelayScene.admin)
    #expect(shown.json["state"]?.string == "answered")
    let timeline = try scene.client.call(
      "GET", "/workspaces/\(scene.id)/messages/\(entry.id)", token: RelayScene.admin)
    #expect(timeline.json["timeline"]?.array?.count ?? 0 >= 3)
  }

  @Test func `the relay says who calls, whatever a caller writes`() throws {
    let scene = try RelayScene()
    let forged = [("X-Relay-Caller", "org:acme"), ("x-relay-caller", "admin"), ("X-Own", "kept")]
    let sent = try post(scene, RelayScene.message(), fields: forged)
    #expect(sent.status == 200)
    let own = try scene.client.call(
      "POST", "/a2a", token: scene.token, fields: forged,
      body: RelayScene.message(messageID: "m-2"))
    #expect(own.status == 200, "\(own.text)")
    let inbox = try scene.client.call(
      "GET", "/workspaces/\(scene.id)/inbox?wait=10&max=2", token: scene.token)
    let entries = inbox.json["messages"]?.array ?? []
    #expect(entries.count == 2)
    for (entry, caller) in zip(entries, ["admin", "workspace:\(scene.id)"]) {
      let headers = entry["request"]?["headers"]?.array ?? []
      let said = headers.filter { $0.array?.first?.string?.lowercased() == "x-relay-caller" }
      #expect(said.map { $0.array?.last?.string } == [caller])
      #expect(headers.contains { $0.array?.last?.string == "kept" })
    }
  }

  @Test func `ids come back in their type, also with errors`() throws {
    let scene = try RelayScene()
    for id in ["\"x\"", "7", "1.5", "null", "\"\\u00e4\""] {
      let ok = try post(scene, RelayScene.message(id: id, messageID: "m\(id.utf8.count)"))
      #expect(ok.text.hasPrefix("{\"jsonrpc\":\"2.0\",\"id\":\(id),"))
      let bad = try post(scene, "{\"jsonrpc\":\"2.0\",\"id\":\(id),\"method\":\"no/such\"}")
      #expect(bad.text.hasPrefix("{\"jsonrpc\":\"2.0\",\"id\":\(id),\"error\""))
      #expect(bad.status == 200 && bad.rpcCode == -32601)
    }
  }

  @Test func `what is not understood is refused with its code`() throws {
    let scene = try RelayScene()
    let cases = [
      ("", -32700), ("{", -32700), ("[]", -32600), ("7", -32600), ("{\"jsonrpc\":\"2.0\"}", -32600),
      ("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"tasks/get\"}", -32600),
      ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"message/send\"}", -32602),
      ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tasks/get\",\"params\":{\"id\":\"x\"}}", -32001),
    ]
    for (body, code) in cases {
      let answer = try post(scene, body)
      #expect(answer.status == 200 && answer.rpcCode == code, "\(body)")
      #expect(answer.json["id"] != nil)
    }
    let version = try post(
      scene, RelayScene.message(), fields: [("A2A-Version", "9.9")])
    #expect(version.rpcCode == -32009)
  }

  @Test func `what is not supported says so`() throws {
    let scene = try RelayScene()
    let stream = RelayScene.message().replacing("message/send", with: "message/stream")
    #expect(try post(scene, stream).rpcCode == -32004)
    let push = RelayScene.message().replacing(
      "\"blocking\":false", with: "\"pushNotificationConfig\":{\"url\":\"http://x\"}")
    #expect(try post(scene, push).rpcCode == -32003)
    let list = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ListTasks\",\"params\":{}}"
    #expect(try post(scene, list, fields: [("A2A-Version", "1.0")]).rpcCode == -32004)
    for path in ["v1/message:send", "message:send", "tasks/1", "v1/card"] {
      let answer = try scene.connect().call(
        "POST", "/w/\(scene.id)/\(path)", token: RelayScene.admin, body: "{}")
      #expect(answer.status == 501 && answer.code == "unsupported")
    }
    let mistyped = try scene.connect().call("GET", "/workspaces/\(scene.id)/inbxo")
    #expect(mistyped.status == 404 && mistyped.code == "no_route")
    #expect(mistyped.text.contains("/workspaces/{id}/inbox,"))
  }

  @Test func `every answer to a send names its message`() throws {
    let scene = try RelayScene()
    let sent = try post(scene, RelayScene.message())
    let id = try #require(sent.field("x-relay-message-id"))
    #expect(sent.task?["id"]?.string == id)
    let held = try post(
      scene, RelayScene.message(messageID: "m-2", blocking: true),
      fields: [("Prefer", "wait=0"), ("Origin", "http://page")])
    #expect(held.state == "submitted" && held.field("x-relay-message-id") != nil)
    #expect(held.field("access-control-allow-origin") == "*")
  }

  @Test func `a held caller gets white space, and its message's id with the first byte`() throws {
    let scene = try RelayScene { $0.keepAlive = .milliseconds(10) }
    let caller = try scene.connect()
    try caller.begin(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin,
      body: RelayScene.message(blocking: true))
    var head = ""
    while !head.contains("1\r\n \r\n1\r\n \r\n") {
      head += String(decoding: try caller.receive(), as: UTF8.self)
    }
    let entry = try scene.take()
    #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(head.contains("X-Relay-Message-Id: \(entry.id)\r\n"))
    #expect(try scene.verb("result", entry, "{\"text\":\"late\"}").status == 200)
    var rest = ""
    while !rest.hasSuffix("0\r\n\r\n") {
      rest += String(decoding: try caller.receive(), as: UTF8.self)
    }
    #expect(rest.contains("late"))
    let quiet = try RelayScene.make(scene.client, settings: ",\"keep_alive\":false")
    let other = try scene.connect().call(
      "POST", "/w/\(quiet.id)/", token: RelayScene.admin, fields: [("Prefer", "wait=1")],
      body: RelayScene.message(blocking: true))
    #expect(other.head?.headers.first("content-length") != nil)
  }

  @Test func `a body that is too large is refused before it is read`() throws {
    let scene = try RelayScene { $0.bodyBytesMax = 2000 }
    let caller = try scene.connect()
    try caller.send(
      "POST /w/\(scene.id)/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(RelayScene.admin)\r\n"
        + "Content-Length: 2001\r\n\r\n")
    let answer = try caller.answer()
    #expect(answer.status == 413 && answer.code == "body_too_large")
    // Authentication comes first.
    let stranger = try scene.connect()
    try stranger.send(
      "POST /w/\(scene.id)/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1999\r\n\r\n")
    #expect(try stranger.answer().status == 401)
  }

  @Test func `an answer that was received frees its call`() throws {
    let scene = try RelayScene()
    let client = try scene.connect()
    let first = try post(scene, RelayScene.message(), client: client)
    let firstID = try #require(first.field("x-relay-message-id"))
    // The receipt comes with the next look at the socket.
    var second = firstID
    for _ in 0..<200 where second == firstID {
      second =
        try post(scene, RelayScene.message(), client: client).field("x-relay-message-id") ?? ""
    }
    #expect(second != firstID)
  }

  @Test func `the card is there for everybody, with its validators`() throws {
    let scene = try RelayScene()
    let path = "/w/\(scene.id)/.well-known/agent-card.json"
    let first = try scene.client.call("GET", path)
    let tag = try #require(first.field("etag"))
    let date = try #require(first.field("last-modified"))
    #expect(first.status == 200 && first.field("cache-control") != nil)
    #expect(first.json["url"]?.string == "http://relay/w/\(scene.id)/")
    #expect(first.json["securitySchemes"]?["relay"] != nil)
    for fields in [
      [("If-None-Match", tag)], [("If-None-Match", "\"x\", W/\(tag)")], [("If-None-Match", "*")],
      [("If-Modified-Since", date)],
    ] {
      let fresh = try scene.client.call("GET", path, fields: fields)
      #expect(fresh.status == 304 && fresh.body.isEmpty && fresh.field("etag") == tag)
    }
    for fields in [
      [("If-None-Match", "\"x\"")], [("If-None-Match", "\"x\""), ("If-Modified-Since", date)],
      [("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")], [("If-Modified-Since", "nonsense")],
    ] {
      #expect(try scene.client.call("GET", path, fields: fields).status == 200)
    }
    let head = try scene.client.call("HEAD", path)
    #expect(head.field("content-length") == "\(first.body.count)" && head.body.isEmpty)
    let options = try scene.client.call("OPTIONS", path)
    #expect(options.status == 204 && options.field("access-control-allow-origin") == "*")
    #expect(
      try scene.client.call("GET", "/w/\(scene.id)/.well-known/agent.json").body == first.body)
    #expect(
      try scene.client.call("GET", "/w/\(RelayAccessTests.unknown)/.well-known/agent.json").status
        == 404)
    _ = try scene.client.call(
      "POST", "/registry/register", token: scene.token,
      body: "{\"id\":\"\(scene.id)\",\"agent_card\":{\"name\":\"B\"}}")
    let changed = try scene.client.call("GET", path, fields: [("If-None-Match", tag)])
    #expect(changed.status == 200 && changed.field("etag") != tag)
  }

  @Test func `a wrong method or path says what is allowed`() throws {
    let scene = try RelayScene()
    let id = scene.id
    let cases = [
      ("GET", "/w/\(id)/", "POST, OPTIONS"), ("DELETE", "/health", "GET, HEAD"),
      ("POST", "/workspaces/\(id)/inbox", "GET"), ("PUT", "/workspaces", "GET, HEAD, POST"),
      ("HEAD", "/workspaces/\(id)/inbox", "GET"), ("GET", "/registry/register", "POST"),
    ]
    for (method, path, allowed) in cases {
      let token = path.contains("inbox") ? scene.token : RelayScene.admin
      let answer = try scene.connect().call(method, path, token: token)
      #expect(answer.status == 405 && answer.field("allow") == allowed, "\(method) \(path)")
    }
    for path in ["/", "/nothing", "//health", "/w", "/health/x"] {
      let answer = try scene.connect().call("GET", path)
      #expect(answer.status == 404 && answer.code == "no_route")
      #expect(answer.text.contains(path == "/health/x" ? "/health" : "/w/{id}/"))
    }
    for path in ["/w/x", "/workspaces/x", "/workspaces/\(id)/inbox/x/claim"] {
      #expect(try scene.connect().call("POST", path, token: scene.token).status == 404)
    }
    #expect(try scene.connect().call("OPTIONS", "/w/\(id)/").status == 204)
    #expect(try scene.client.call("GET", "/health").json["status"]?.string == "ok")
    #expect(try scene.client.call("GET", "/ready").json["status"]?.string == "ready")
  }
}
