import Engine
import Foundation
import HTTPTestKit
import Relay
import Store
import System
import Testing
import Wire

@testable import Server

/// Secrets, state, heartbeats and cards, as the platform's clients ask for them.
@Suite struct RelaySecretTests {
  let scene: RelayScene
  var client: HTTPTestClient { get throws { try scene.connect() } }

  init() throws { scene = try RelayScene() }

  private var path: String { "/workspaces/\(scene.id)/secrets" }

  private func set(_ body: String, method: String = "PUT") throws -> HTTPTestClient.Answer {
    try client.call(method, path, token: RelayScene.admin, body: body)
  }

  @Test func `an operator sets secrets and sees their names, the agent reads them`() throws {
    let saved = try set("{\"key\":\"API_KEY\",\"value\":\"s3cret-\\u00e4\"}")
    #expect(saved.text == "{\"status\":\"saved\",\"key\":\"API_KEY\"}")
    #expect(try set("{\"key\":\"b.c-1\",\"value\":\"\"}", method: "POST").status == 200)
    let list = try client.call("GET", path, token: RelayScene.admin)
    #expect(list.json.array?.map { $0["key"]?.string } == ["API_KEY", "b.c-1"])
    #expect(list.json.array?.first?["has_value"]?.bool == true)
    #expect(!list.text.contains("s3cret"))
    for route in [path, "/secrets"] {
      let own = try client.call("GET", route, token: scene.token)
      #expect(own.text == "{\"secrets\":{\"API_KEY\":\"s3cret-ä\",\"b.c-1\":\"\"}}")
      #expect(own.field("cache-control") == "no-store")
    }
    for route in ["\(path)/values", "/secrets/values"] {
      let own = try client.call("GET", route, token: scene.token)
      #expect(own.text == "{\"API_KEY\":\"s3cret-ä\",\"b.c-1\":\"\"}")
      // Operators set them, and do not read them back.
      #expect(try client.call("GET", route, token: RelayScene.admin).status == 404)
    }
    let gone = try client.call("DELETE", "\(path)/API_KEY", token: RelayScene.admin)
    #expect(gone.text == "{\"status\":\"deleted\",\"key\":\"API_KEY\"}")
    #expect(try client.call("DELETE", "\(path)/API_KEY", token: RelayScene.admin).status == 404)
  }

  @Test func `keys and values have bounds, and an agent sets none`() throws {
    for body in [
      "{}", "{\"key\":\"\",\"value\":\"x\"}", "{\"key\":\"a b\",\"value\":\"x\"}",
      "{\"key\":\"a/b\",\"value\":\"x\"}", "{\"key\":\"ä\",\"value\":\"x\"}",
      "{\"key\":\"values\",\"value\":\"x\"}", "{\"key\":7,\"value\":\"x\"}",
      "{\"key\":\"\(String(repeating: "k", count: 129))\",\"value\":\"x\"}", "{\"key\":\"a\"}",
      "{\"key\":\"a\",\"value\":7}", "[]", "{",
      "{\"key\":\"a\",\"value\":\"\(String(repeating: "v", count: 64 * 1024 + 1))\"}",
    ] {
      let answer = try set(body)
      #expect(answer.status == 400, "\(body.prefix(40))")
      #expect(!answer.text.contains("vvv"))
    }
    let long = String(repeating: "k", count: 128)
    let large = String(repeating: "v", count: 64 * 1024)
    #expect(try set("{\"key\":\"\(long)\",\"value\":\"\(large)\"}").status == 200)
    for (method, route) in [("PUT", path), ("DELETE", "\(path)/\(long)")] {
      let own = try client.call(
        method, route, token: scene.token, body: "{\"key\":\"a\",\"value\":\"x\"}")
      #expect(own.status == 404)
    }
  }

  /// A relay that has keys of the org, one for each scope, and another org's.
  private func keyed() throws -> (RelayTestServer, String) {
    let path = NSTemporaryDirectory() + "relay-tests-keys-\(UUID().uuidString)"
    try addKeys(path)
    return (try RelayTestServer(path: path), path)
  }

  private func addKeys(_ path: String) throws {
    let data = try DataDirectory(path: path, limits: Limits())
    let keys: [(String, String, RegisteredToken.Scopes)] = [
      ("admin-key", "default", .admin), ("send-key", "default", .send),
      ("read-key", "default", .read), ("strangers-key", "other", .admin),
    ]
    try data.registry.commit(
      keys.map { secret, org, scopes in
        .addToken(
          RegisteredToken(
            hash: SHA256.hash(Array(secret.utf8)).bytes, workspace: nil, org: org, kind: .org,
            scopes: scopes, createdAt: WallTime(nanoseconds: 1), fingerprint: secret))
      })
    try data.registry.sync()
    try data.registry.close()
  }

  @Test func `an org's keys set and list by their scopes, and read no value`() throws {
    let (server, folder) = try keyed()
    defer {
      server.stop()
      server.ended()
      try? FileManager.default.removeItem(atPath: folder)
    }
    let (id, _) = try RelayScene.make(try HTTPTestClient(server))
    let body = "{\"key\":\"KEY\",\"value\":\"x\"}"
    let calls: [(method: String, path: String, allowed: Set<String>)] = [
      ("PUT", "secrets", ["admin-key"]), ("GET", "secrets", ["admin-key", "read-key"]),
      ("GET", "state", ["admin-key", "read-key"]), ("GET", "secrets/values", []),
      ("POST", "a2a", ["admin-key", "send-key"]), ("DELETE", "secrets/KEY", ["admin-key"]),
    ]
    for (method, path, allowed) in calls {
      for key in ["strangers-key", "send-key", "read-key", "admin-key"] {
        let sent = path == "a2a" ? RelayPlatformTests.body("x") : body
        let answers = try [id, RelayAccessTests.unknown].map {
          try HTTPTestClient(server).call(
            method, "/workspaces/\($0)/\(path)", token: key, body: sent)
        }
        let expected = allowed.contains(key) ? 200 : 404
        #expect(answers[0].status == expected, "\(method) \(path) \(key)")
        #expect(answers[1].status == 404)
        if !allowed.contains(key) { #expect(answers[0].text == answers[1].text) }
      }
    }
  }

  @Test func `a secret is in no file but the registry's, and gone from it when it is deleted`()
    throws
  {
    let value = "value-that-is-looked-for"
    #expect(try set("{\"key\":\"KEY\",\"value\":\"\(value)\"}").status == 200)
    #expect(try client.call("GET", "/secrets", token: scene.token).text.contains(value))
    #expect(try client.call("DELETE", "\(path)/KEY", token: RelayScene.admin).status == 200)
    scene.server.stop()
    scene.server.ended()
    let files = try RelayFiles.contents(scene.server.path)
    #expect(files.contains("secret.set") && !files.contains(value))
  }

  @Test func `state is for the agent itself and for operators`() throws {
    let route = "/workspaces/\(scene.id)/state"
    for token in [scene.token, RelayScene.admin] {
      let state = try client.call("GET", route, token: token)
      #expect(
        state.text == "{\"workspace_id\":\"\(scene.id)\",\"status\":\"online\",\"paused\":false,"
          + "\"deleted\":false}")
    }
  }

  @Test func `every call of an agent is a sign of life`() throws {
    let message = RelayAccessTests.message
    let own = "/workspaces/\(scene.id)"
    let open = try RelayScene.make(try client, settings: ",\"callers\":\"agent\"").id
    let alien = RelayAccessTests.unknown
    var last = ""
    for (method, path) in [
      ("GET", "/messages/\(message)"), ("GET", "\(own)/a2a/queue/\(message)"),
      ("GET", "/secrets"), ("GET", "\(own)/secrets/values"), ("GET", "\(own)/state"),
      ("POST", "/a2a"), ("POST", "\(own)/a2a"), ("POST", "/w/\(scene.id)/"),
      ("GET", "\(own)/inbox?wait=0"), ("POST", "/registry/update-card"),
      ("POST", "/registry/heartbeat"), ("POST", "/registry/register"),
      ("POST", "\(own)/tokens/rotate"), ("POST", "/w/\(open)/"), ("GET", "/metrics"),
      // What it may not have, too: it has shown who it is.
      ("GET", "\(own)/queue"), ("GET", "/workspaces/\(alien)/inbox?wait=0"),
    ] {
      var seen = last
      // The time has milliseconds.
      for _ in 0..<500 where seen == last {
        _ = try client.call(method, path, token: scene.token, body: method == "GET" ? "" : "{}")
        let shown = try client.call("GET", own, token: RelayScene.admin)
        seen = shown.json["last_seen_at"]?.string ?? ""
      }
      #expect(seen != last, "\(path)")
      last = seen
    }
  }

  @Test func `a heartbeat takes what clients say, and refuses what is no integer`() throws {
    func beat(_ members: String) throws -> HTTPTestClient.Answer {
      try client.call(
        "POST", "/registry/heartbeat", token: scene.token,
        body: "{\"workspace_id\":\"\(scene.id)\"\(members)}")
    }
    for members in [
      "", ",\"error_rate\":0.0,\"sample_error\":\"\",\"active_tasks\":0,\"uptime_seconds\":12",
      ",\"runtime_state\":\"ok\",\"uptime_seconds\":0", ",\"status\":\"online\",\"x\":[1]",
      ",\"current_task\":null,\"error_rate\":\"high\",\"active_tasks\":null",
    ] {
      let answer = try beat(members)
      #expect(answer.text == "{\"status\":\"ok\"}", "\(members)")
    }
    for members in [",\"active_tasks\":1.5", ",\"uptime_seconds\":\"x\""] {
      let answer = try beat(members)
      #expect(answer.status == 400 && answer.text.contains("must be an integer"))
    }
    let wrong = try client.call(
      "POST", "/registry/heartbeat", token: scene.token, body: "{\"workspace_id\":7}")
    #expect(wrong.status == 400)
  }

  @Test func `a registration without a bearer, with a URL that nobody can call, gets its token`()
    throws
  {
    let made = try client.call(
      "POST", "/workspaces", token: RelayScene.admin,
      body: "{\"name\":\"CI\",\"runtime\":\"external\",\"external\":true,\"url\":\"https://a.b\"}")
    let id = made.json["id"]?.string ?? ""
    let answer = try client.call(
      "POST", "/registry/register",
      body: "{\"id\":\"\(id)\",\"url\":\"remote://no-inbound\",\"agent_card\":{\"name\":\"SDK\"}}")
    #expect(answer.status == 200 && answer.json["auth_token"]?.string != nil)
    #expect(answer.text.contains("\"status\":\"registered\""))
    #expect(answer.json["workspace_id"]?.string == id && answer.json["org_id"]?.string != nil)
    #expect(answer.json["expires_at"] == .null)
  }

  @Test func `an agent replaces its card, and nobody else's`() throws {
    func update(_ id: String, _ card: String, token: String) throws -> HTTPTestClient.Answer {
      try client.call(
        "POST", "/registry/update-card", token: token,
        body: "{\"workspace_id\":\"\(id)\",\"agent_card\":\(card)}")
    }
    let done = try update(scene.id, "{\"name\":\"New\"}", token: scene.token)
    #expect(done.text == "{\"status\":\"updated\"}")
    let card = try client.call("GET", "/w/\(scene.id)/.well-known/agent-card.json")
    #expect(card.json["name"]?.string == "New")
    let shown = try client.call("GET", "/workspaces/\(scene.id)", token: RelayScene.admin)
    #expect(shown.json["agent_card"] == ["name": "New"])
    let other = try RelayScene.make(try client)
    #expect(try update(scene.id, "{\"name\":\"x\"}", token: other.token).status == 404)
    #expect(try update(scene.id, "{\"name\":\"x\"}", token: RelayScene.admin).status == 404)
    for card in ["null", "7", "\"x\""] {
      #expect(try update(scene.id, card, token: scene.token).status == 400)
    }
    #expect(try update("x", "{}", token: scene.token).status == 400)
  }
}
