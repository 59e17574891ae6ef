import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// What the agent of a removed workspace is told: enough to end its loop, whatever it calls.
@Suite struct RelayEndedTokenTests {
  let scene: RelayScene
  private var path: String { "/workspaces/\(scene.id)" }

  init() throws { scene = try RelayScene() }

  /// Every route that takes an agent's token, and how its clients end there.
  private var routes: [(method: String, path: String, status: Int)] {
    let message = RelayAccessTests.message
    return [
      ("GET", "\(path)/inbox", 410), ("POST", "\(path)/inbox/batch", 410),
      ("POST", "\(path)/inbox/\(message)/result", 410),
      ("POST", "\(path)/inbox/\(message)/extend", 410), ("POST", "/registry/register", 410),
      ("POST", "/registry/heartbeat", 410), ("POST", "/registry/update-card", 410),
      ("GET", "/secrets", 410), ("GET", "/secrets/values", 410), ("GET", "\(path)/secrets", 410),
      ("GET", "\(path)/secrets/values", 410), ("POST", "\(path)/tokens/rotate", 410),
      ("POST", "/a2a", 410), ("POST", "\(path)/a2a", 410), ("POST", "/w/\(scene.id)/", 410),
      ("GET", "/messages/\(message)", 410), ("GET", path, 410),
      ("GET", "\(path)/a2a/queue/\(message)", 410),
      ("GET", "\(path)/state", 404), ("GET", "\(path)/activity?type=a2a_receive", 404),
    ]
  }

  private func answer(
    _ method: String, _ path: String, _ token: String?
  ) throws -> HTTPTestClient.Answer {
    try scene.connect().call(
      method, path, token: token, body: method == "POST" ? "{\"id\":\"\(scene.id)\"}" : "")
  }

  private func remove(_ query: String = "") throws {
    let removed = try answer("DELETE", path + query, RelayScene.admin)
    #expect(removed.status == 200)
  }

  @Test(arguments: ["", "?purge=true"])
  func `an agent of a removed workspace is told so on every route, until nobody remembers`(
    query: String
  ) throws {
    let minted = try scene.connect().call("POST", "\(path)/tokens", token: RelayScene.admin)
    let revoked = try #require(minted.json["auth_token"]?.string)
    let name = try #require(minted.json["id"]?.string)
    #expect(try answer("DELETE", "\(path)/tokens/\(name)", RelayScene.admin).status == 200)
    try remove(query)
    for route in routes {
      let told = try answer(route.method, route.path, scene.token)
      #expect(told.status == route.status, "\(route) \(told.text)")
      #expect(told.code == "workspace_removed" && told.json["deleted"] == true, "\(route)")
      #expect(told.json["id"]?.string == scene.id && told.json["paused"] == false)
      #expect(told.json["removed_at"]?.string != nil && told.json["hint"]?.string != nil)
      // Another's token, a wrong one, and one that was revoked before learn nothing of it.
      for token in [nil, "rtok_wrong", revoked] where !route.path.contains("activity") {
        let stranger = try answer(route.method, route.path, token)
        #expect(stranger.status == 401 && stranger.json["deleted"] == nil, "\(route)")
      }
    }
    let key = try scene.connect().call(
      "POST", "/w/\(RelayAccessTests.unknown)/", fields: [("X-Relay-Key", scene.token)])
    #expect(key.status == 410)
  }

  @Test func `the id of a purged workspace begins anew, and its old token is a stranger's`() throws
  {
    try remove("?purge=true")
    #expect(try answer("GET", "\(path)/inbox", scene.token).status == 410)
    let made = try answer("POST", "/workspaces", RelayScene.admin)
    #expect(made.status == 201 && made.json["claimed"] == false)
    #expect(try answer("GET", "\(path)/inbox", scene.token).status == 401)
    #expect(try answer("GET", "\(path)/tokens", RelayScene.admin).json["count"]?.int == 0)
  }

  @Test func `of the feed an agent hears what works instead, and its operator that it is deaf`()
    throws
  {
    let inbox = "http://relay\(path)/inbox"
    for token in [scene.token, nil, "wrong", RelayScene.admin] {
      let refused = try answer("GET", "\(path)/activity?type=a2a_receive&limit=100", token)
      #expect(refused.status == 501 && refused.code == "unsupported")
      #expect(refused.json["inbox_url"]?.string == inbox)
      #expect(refused.json["error"]?.string?.contains("poll GET \(inbox)?wait=25") == true)
      let shown = try answer("GET", path, RelayScene.admin)
      #expect(shown.json["problem"]?.string?.contains("activity feed") == true)
    }
    let other = try RelayScene.make(scene.connect())
    _ = try answer("GET", "/workspaces/\(other.id)/activity", scene.token)
    let shown = try answer("GET", "/workspaces/\(other.id)", RelayScene.admin)
    #expect(shown.json["problem"] == nil, "another's token says nothing of its agent")
  }
}
