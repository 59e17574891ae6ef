import Engine
import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// The tokens of a workspace: made, listed, rotated, revoked.
@Suite struct RelayTokenTests {
  let scene: RelayScene
  var admin: String { RelayScene.admin }
  var tokens: String { "/workspaces/\(scene.id)/tokens" }

  init() throws { scene = try RelayScene() }

  private func call(
    _ method: String, _ path: String, token: String? = RelayScene.admin, body: String = ""
  ) throws -> HTTPTestClient.Answer {
    try scene.connect().call(method, path, token: token, body: body)
  }

  private func poll(_ token: String) throws -> Int {
    try call("GET", "/workspaces/\(scene.id)/inbox?wait=0", token: token).status
  }

  private func mint(_ body: String = "{}") throws -> (secret: String, id: String) {
    let answer = try call("POST", tokens, body: body)
    #expect(answer.status == 201 && answer.json["workspace_id"]?.string == scene.id)
    return (
      try #require(answer.json["auth_token"]?.string), try #require(answer.json["id"]?.string)
    )
  }

  private func list() throws -> [JSON] {
    let answer = try call("GET", tokens)
    let rows = try #require(answer.json["tokens"]?.array)
    #expect(answer.json["count"]?.int == rows.count)
    return rows
  }

  @Test func `a workspace has several tokens, listed without their secrets`() throws {
    let (second, id) = try mint("{\"name\":\"laptop\"}")
    #expect(second.hasPrefix("rtok_") && second.utf8.count == 48)
    #expect(try poll(second) == 204)
    #expect(try poll(scene.token) == 204)
    let rows = try list()
    #expect(rows.count == 2)
    let row = try #require(rows.last)
    #expect(row["id"]?.string == id && row["name"]?.string == "laptop")
    #expect(id == String(SHA256.hash(Array(second.utf8)).hex.prefix(8)))
    #expect(row["prefix"]?.string == "rtok_" && row["created_by"]?.string == "admin")
    #expect(row["expires_at"]?.isNull == true && row["revoked_at"]?.isNull == true)
    #expect(row["last_used_at"]?.string != nil, "its poll was a use")
    let text = try call("GET", tokens).text
    #expect(!text.contains(second.dropFirst(5)) && !text.contains(scene.token.dropFirst(5)))
    let other = try call("POST", "/admin/workspaces/\(scene.id)/tokens", body: "")
    #expect(other.status == 201)
    #expect(try poll(other.json["auth_token"]?.string ?? "") == 204)
  }

  @Test func `agents' and operators' routes heed no caller's key beside the credential`() throws {
    let (second, id) = try mint()
    for key in ["garbage", RelayScene.admin] {
      let made = try scene.connect().call(
        "POST", tokens, token: admin, fields: [("X-Relay-Key", key)], body: "{}")
      #expect(made.status == 201)
      let rotated = try scene.connect().call(
        "POST", "\(tokens)/rotate", token: second, fields: [("X-Relay-Key", key)],
        body: "{\"grace_seconds\":60}")
      #expect(rotated.status == 201)
      #expect(try list().filter { $0["expires_at"]?.isNull == false }.count == 1)
    }
    let audit = try call("GET", "/admin/audit").text
    #expect(!audit.contains("nobody") && audit.contains("workspace:\(scene.id) \(id)"))
  }

  @Test func `a revoked token is refused at once, on open connections too`() throws {
    let (second, id) = try mint()
    let open = try scene.connect()
    let path = "/workspaces/\(scene.id)/inbox?wait=0"
    #expect(try open.call("GET", path, token: second).status == 204)
    let answer = try call("DELETE", "\(tokens)/\(id)")
    #expect(answer.status == 200 && answer.json["status"]?.string == "revoked")
    #expect(answer.json["id"]?.string == id)
    #expect(try open.call("GET", path, token: second).status == 401)
    #expect(try poll(second) == 401)
    #expect(try poll(scene.token) == 204, "the other one goes on")
    #expect(try call("DELETE", "\(tokens)/\(id)").status == 200, "as often as one likes")
    #expect(try call("DELETE", "\(tokens)/00000000").status == 404)
    #expect(try list().first { $0["id"]?.string == id }?["revoked_at"]?.string != nil)
  }

  @Test func `a poll that is parked with a token ends when that is revoked`() throws {
    let (second, id) = try mint()
    let parked = try scene.connect()
    try parked.begin("GET", "/workspaces/\(scene.id)/inbox?wait=50", token: second)
    let batch = try scene.connect()
    try batch.begin(
      "POST", "/workspaces/\(scene.id)/inbox/batch", token: second,
      body: "{\"poll\":{\"wait\":50}}")
    let other = try scene.connect()
    try other.begin("GET", "/workspaces/\(scene.id)/inbox?wait=50", token: scene.token)
    try scene.untilParked(3)
    #expect(try call("DELETE", "\(tokens)/\(id)").status == 200)
    let ended = try parked.answer()
    #expect(ended.status == 401 && ended.code == "unauthorized")
    #expect(try batch.answer().json["poll"]?["status"]?.int == 401)
    // What is sent now goes to the poll whose token is good.
    let sent = try call("POST", "/w/\(scene.id)/", body: RelayScene.message())
    #expect(sent.status == 200)
    #expect(try other.answer().entry != nil)
  }

  @Test(arguments: [
    ("/org/tokens", "{\"scopes\":[\"read\"],\"expires_in_second\":60}", "expires_in_second"),
    ("TOKENS", "{\"expire_in_seconds\":60}", "expire_in_seconds"),
    ("TOKENS/rotate", "{\"grace\":0}", "grace"),
  ])
  func `a misspelt wish makes no credential without an end`(
    path: String, body: String, member: String
  ) throws {
    let before = try list().count
    let answer = try call("POST", path.replacing("TOKENS", with: tokens), body: body)
    #expect(answer.status == 400)
    #expect(answer.json["error"]?.string?.contains("\"\(member)\" is not known") == true)
    #expect(try list().count == before)
    #expect(try call("GET", "/org/tokens").json["count"]?.int == 0)
  }

  @Test func `a body that comes after the revocation is refused`() throws {
    let (second, id) = try mint()
    #expect(try call("POST", "/w/\(scene.id)/", body: RelayScene.message()).status == 200)
    let answer = try call("GET", "/workspaces/\(scene.id)/inbox?wait=5", token: second)
    let entry = try #require(answer.entry)
    let path = "/workspaces/\(scene.id)/inbox/\(entry["id"]?.string ?? "")/result"
    let slow = try scene.connect()
    try slow.send(
      "POST \(path) HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer \(second)\r\n"
        + "X-Relay-Lease: \(entry["lease"]?["token"]?.string ?? "")\r\n"
        + "Expect: 100-continue\r\nContent-Length: 17\r\n\r\n")
    // The head was good: it is told to go on.
    #expect(try String(decoding: slow.receive(), as: UTF8.self).hasPrefix("HTTP/1.1 100"))
    #expect(try call("DELETE", "\(tokens)/\(id)").status == 200)
    try slow.send("{\"text\":\"stolen\"}")
    #expect(try slow.answer().status == 401)
    let shown = try call("GET", "/workspaces/\(scene.id)").json
    #expect(shown["queue"]?["in_flight"]?.int ?? shown["queue"]?["unanswered"]?.int == 1)
  }

  @Test func `a lease outlives the token under which it was given`() throws {
    let (second, id) = try mint()
    let sent = try call("POST", "/w/\(scene.id)/", body: RelayScene.message())
    #expect(sent.status == 200)
    let entry = try #require(
      try call("GET", "/workspaces/\(scene.id)/inbox?wait=5", token: second).entry)
    #expect(try call("DELETE", "\(tokens)/\(id)").status == 200)
    let held = (
      id: entry["id"]?.string ?? "", lease: entry["lease"]?["token"]?.string ?? ""
    )
    let refused = try scene.connect().call(
      "POST", "/workspaces/\(scene.id)/inbox/\(held.id)/result", token: second,
      fields: [("X-Relay-Lease", held.lease)], body: "{\"text\":\"stolen\"}")
    #expect(refused.status == 401)
    #expect(try scene.verb("result", held, "{\"text\":\"done\"}").status == 200)
  }

  @Test func `a lease token opens nothing without its agent's own token`() throws {
    let other = try RelayScene.make(scene.connect())
    #expect(try call("POST", "/w/\(scene.id)/", body: RelayScene.message()).status == 200)
    let held = try scene.take()
    for (token, status) in [
      (nil, 401), (held.lease, 401), (other.token, 404), (RelayScene.admin, 404),
    ] {
      for id in [scene.id, other.id] {
        let refused = try scene.connect().call(
          "POST", "/workspaces/\(id)/inbox/\(held.id)/result", token: token,
          fields: [("X-Relay-Lease", held.lease)], body: "{\"text\":\"stolen\"}")
        // The other agent, too, at its own workspace.
        #expect(refused.status == status, "\(token ?? "none") \(refused.text)")
      }
    }
    #expect(try scene.verb("result", held, "{\"text\":\"done\"}").status == 200)
  }

  @Test func `without any token a workspace keeps its messages and is never unclaimed again`()
    throws
  {
    _ = try mint()
    let answer = try call("DELETE", tokens)
    #expect(answer.json["status"]?.string == "revoked" && answer.json["count"]?.int == 2)
    #expect(try poll(scene.token) == 401)
    // Callers do not notice.
    let sent = try call("POST", "/w/\(scene.id)/", body: RelayScene.message())
    #expect(sent.state == "submitted")
    let claim = try call(
      "POST", "/registry/register", token: nil, body: "{\"id\":\"\(scene.id)\"}")
    #expect(claim.status == 401)
    let again = try call("POST", "/registry/register", body: "{\"id\":\"\(scene.id)\"}")
    let token = try #require(again.json["auth_token"]?.string)
    let entry = try call("GET", "/workspaces/\(scene.id)/inbox?wait=5", token: token)
    #expect(entry.entry?["text"]?.string == "hello")
    #expect(try call("DELETE", tokens).json["count"]?.int == 1)
    #expect(try call("DELETE", tokens).json["count"]?.int == 0)
  }

  @Test func `an operator's rotation lets the older ones go on for the grace`() throws {
    let (second, _) = try mint()
    let rotated = try call("POST", "\(tokens)/rotate", body: "")
    #expect(rotated.status == 201)
    let third = try #require(rotated.json["auth_token"]?.string)
    for token in [scene.token, second, third] { #expect(try poll(token) == 204) }
    let ends = try list().map { $0["expires_at"]?.string != nil }
    #expect(ends == [true, true, false])
    let last = try call("POST", "\(tokens)/rotate", body: "{\"grace_seconds\":0}")
    let fourth = try #require(last.json["auth_token"]?.string)
    for token in [scene.token, second, third] { #expect(try poll(token) == 401) }
    #expect(try poll(fourth) == 204)
    for body in [
      "{\"grace_seconds\":-1}", "{\"grace_seconds\":2592001}", "{\"grace_seconds\":\"x\"}",
    ] {
      #expect(try call("POST", "\(tokens)/rotate", body: body).code == "bad_parameter")
    }
  }

  @Test func `its holder rotates one token, and no other`() throws {
    let (second, _) = try mint()
    let rotated = try call(
      "POST", "\(tokens)/rotate", token: second, body: "{\"grace_seconds\":0}")
    let third = try #require(rotated.json["auth_token"]?.string)
    #expect(try poll(second) == 401)
    #expect(try poll(scene.token) == 204)
    #expect(try poll(third) == 204)
    // It may do nothing else with tokens.
    for (method, path) in [
      ("GET", tokens), ("POST", tokens), ("DELETE", tokens),
      ("POST", "/admin/workspaces/\(scene.id)/tokens"),
    ] {
      #expect(try call(method, path, token: third).code == "not_found", "\(method) \(path)")
    }
  }

  @Test func `what was revoked and what has ended takes no room`() throws {
    let scene = try RelayScene { $0.tokensPerWorkspaceMax = 2 }
    let tokens = "/workspaces/\(scene.id)/tokens"
    let call = { (method: String, path: String, body: String) in
      try scene.connect().call(method, path, token: RelayScene.admin, body: body)
    }
    #expect(try call("POST", tokens, "").status == 201)
    let full = try call("POST", tokens, "")
    #expect(full.status == 409 && full.code == "tokens_full")
    #expect(try call("POST", "\(tokens)/rotate", "").code == "tokens_full")
    for _ in 0..<5 {
      #expect(try call("POST", "\(tokens)/rotate", "{\"grace_seconds\":0}").status == 201)
    }
    #expect(try call("POST", tokens, "").status == 201)
    #expect(try call("DELETE", tokens, "").json["count"]?.int == 2)
    #expect(try call("POST", tokens, "").status == 201)
  }

  @Test func `a restart changes nothing about tokens`() throws {
    let (second, id) = try mint("{\"name\":\"x\"}")
    let (third, _) = try mint("{\"expires_in_seconds\":3600}")
    #expect(try poll(third) == 204)
    #expect(try call("DELETE", "\(tokens)/\(id)").status == 200)
    let before = try list()
    scene.server.stop()
    scene.server.ended()
    let server = try RelayTestServer(path: scene.server.path)
    let client = try HTTPTestClient(server)
    let after = try client.call("GET", tokens, token: admin).json["tokens"]?.array
    #expect(after == before, "the last uses too")
    for (token, status) in [(scene.token, 204), (second, 401), (third, 204)] {
      let answer = try HTTPTestClient(server).call(
        "GET", "/workspaces/\(scene.id)/inbox?wait=0", token: token)
      #expect(answer.status == status)
    }
    server.stop()
    server.ended()
    let files = try RelayFiles.contents(server.path)
    for secret in [scene.token, second, third] { #expect(!files.contains(secret.dropFirst(5))) }
  }
}

extension RelayScene {
  /// Waits until so many polls are parked.
  func untilParked(_ count: Int) throws {
    while true {
      let shown = try connect().call("GET", "/workspaces/\(id)", token: RelayScene.admin)
      if shown.json["queue"]?["parked_polls"]?.int == count { return }
    }
  }
}
