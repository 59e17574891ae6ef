import Engine
import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// Removing a workspace, over real sockets: who may, and what everybody else sees.
@Suite struct RelayRemovalTests {
  let scene: RelayScene
  private var path: String { "/workspaces/\(scene.id)" }

  init() throws { scene = try RelayScene() }

  private func operate(
    _ method: String, _ path: String, token: String? = RelayScene.admin
  ) throws -> HTTPTestClient.Answer {
    try scene.connect().call(method, path, token: token)
  }

  @Test func `nobody but an operator removes, purges or restores`() throws {
    let other = try RelayScene.make(scene.connect())
    for query in ["", "?purge=true"] {
      for token in [nil, "wrong"] {
        let answer = try operate("DELETE", path + query, token: token)
        #expect(answer.status == 401 && answer.code == "unauthorized")
      }
      for token in [scene.token, other.token] {
        let answer = try operate("DELETE", path + query, token: token)
        #expect(answer.status == 404 && answer.code == "not_found")
      }
    }
    #expect(try operate("DELETE", path).status == 200)
    for (token, status) in [(nil, 401), ("wrong", 401), (scene.token, 410)] {
      let answer = try operate("POST", path + "/restore", token: token)
      #expect(answer.status == status, "its own token is dead")
    }
    #expect(try operate("POST", path + "/restore", token: other.token).status == 404)
    #expect(try operate("GET", path, token: other.token).status == 404)
    #expect(try operate("GET", path, token: nil).status == 401)
  }

  @Test func `whoever waits is told, and afterwards it is unknown`() throws {
    let poll = try scene.connect()
    try poll.begin("GET", path + "/inbox?wait=30", token: scene.token)
    let first = try scene.connect()
    try first.begin(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin,
      body: RelayScene.message(messageID: "taken", blocking: true))
    #expect(try poll.answer().entry != nil)
    let parked = try scene.connect()
    try parked.begin("GET", path + "/inbox?wait=30", token: scene.token)
    while try operate("GET", path).json["queue"]?["parked_polls"]?.int != 1 {}

    let removed = try operate("DELETE", path)
    #expect(removed.status == 200 && removed.json["status"]?.string == "removed")
    #expect(removed.json["restore_until"]?.string != nil)
    #expect(removed.json["cascade_deleted"]?.int == 0)
    let told = try first.answer()
    #expect(told.rpcCode == -32603)
    #expect(
      told.json["error"]?["data"]?.array?.first?["reason"]?.string == "WORKSPACE_REMOVED")
    let sentHome = try parked.answer()
    #expect(sentHome.status == 410 && sentHome.json["deleted"] == true)

    let gone = try operate("GET", path)
    #expect(gone.status == 410 && gone.code == "workspace_removed")
    #expect(gone.json["id"]?.string == scene.id && gone.json["removed_at"]?.string != nil)
    #expect(gone.json["hint"]?.string != nil)
    #expect(try operate("DELETE", path).status == 410)
    #expect(try operate("GET", path + "/inbox", token: scene.token).status == 410)
    // Callers see what they see of an id that never was.
    let never = RelayAccessTests.unknown
    for token in [nil, RelayScene.admin] {
      for suffix in ["/", "/.well-known/agent-card.json"] {
        let method = suffix == "/" ? "POST" : "GET"
        let mine = try operate(method, "/w/\(scene.id)\(suffix)", token: token)
        let nobodys = try operate(method, "/w/\(never)\(suffix)", token: token)
        #expect(mine.status == nobodys.status && mine.text == nobodys.text)
      }
    }
    let list = try operate("GET", "/workspaces").json["workspaces"]?.array
    #expect(list?.isEmpty == true)
  }

  @Test func `restored it works again with a new token only`() throws {
    _ = try scene.client.call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin, body: RelayScene.message())
    #expect(try operate("DELETE", path).status == 200)
    var restored = try operate("POST", path + "/restore")
    while restored.status == 503 { restored = try operate("POST", path + "/restore") }
    #expect(restored.status == 200 && restored.json["id"]?.string == scene.id)
    #expect(try operate("POST", path + "/restore").code == "workspace_exists")
    #expect(try operate("GET", path + "/inbox?wait=0", token: scene.token).status == 401)
    let again = try scene.connect().call(
      "POST", "/registry/register", token: RelayScene.admin, body: "{\"id\":\"\(scene.id)\"}")
    let token = again.json["auth_token"]?.string
    #expect(try operate("GET", path + "/inbox?wait=0", token: token).status == 204)
  }

  @Test func `purged it never was`() throws {
    let answer = try operate("DELETE", path + "?purge=true")
    #expect(answer.status == 200 && answer.json["status"]?.string == "purged")
    #expect(try operate("GET", path).status == 404)
    #expect(try operate("POST", path + "/restore").status == 404)
    #expect(try operate("DELETE", path).status == 404)
    #expect(try operate("DELETE", path + "?purge=maybe").status == 400)
  }

  @Test func `what stands below it is removed only when that was said`() throws {
    let made = try scene.connect().call(
      "POST", "/workspaces", token: RelayScene.admin, body: "{\"parent_id\":\"\(scene.id)\"}")
    let child = try #require(made.json["id"]?.string)
    for query in ["", "?confirm=false", "?purge=true"] {
      let refused = try operate("DELETE", path + query)
      #expect(refused.status == 409 && refused.code == "confirmation_required")
      #expect(refused.json["status"]?.string == "confirmation_required")
      #expect(refused.json["children"]?.array?.map(\.string) == [child])
      #expect(refused.json["children_count"]?.int == 1)
    }
    #expect(try operate("DELETE", path + "?confirm=perhaps").status == 400)
    #expect(try operate("GET", path + "/inbox?wait=0", token: scene.token).status == 204)
    let removed = try operate("DELETE", path + "?confirm=true")
    #expect(removed.status == 200 && removed.json["cascade_deleted"]?.int == 1)
    for id in [scene.id, child] { #expect(try operate("GET", "/workspaces/\(id)").status == 410) }
  }
}
