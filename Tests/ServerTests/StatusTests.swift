import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// What the relay says of itself as a whole, over real sockets.
@Suite struct StatusTests {
  @Test func `the status tells what the relay holds`() throws {
    let scene = try RelayScene()
    _ = try scene.client.call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin, body: RelayScene.message())
    let json = try scene.client.call("GET", "/admin/status", token: RelayScene.admin).json
    #expect(json["ready"]?.bool == true && json["version"]?.string == RelayVersion.text)
    #expect(json["messages"]?["unanswered"]?.int == 1)
    #expect(json["messages"]?["in_flight"]?.int == 0)
    #expect(json["workspaces"]?["active"]?.int == 1 && json["workspaces"]?["open"]?.int == 1)
    #expect(json["agents"]?["online"]?.int == 1)
    #expect(json["disk"]?["free"]?.int ?? 0 > 0 && json["disk"]?["low"]?.bool == false)
    #expect(json["barrier"]?["ok"]?.bool == true)
    #expect(json["connections"]?.int ?? 0 >= 1)
  }

  @Test func `a message's workspace is told to those who may see it`() throws {
    let scene = try RelayScene()
    let sent = try scene.client.call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin, body: RelayScene.message())
    let message = sent.task?["id"]?.string ?? ""
    let path = "/admin/messages/\(message)"
    let found = try scene.connect().call("GET", path, token: RelayScene.admin)
    #expect(found.json["workspaces"]?.array?.map(\.string) == [scene.id])
    for (path, token, status) in [
      (path, "wrong", 401), (path, scene.token, 404),
      ("/admin/messages/ffffffff-ffff-8fff-8fff-ffffffffffff", RelayScene.admin, 404),
      ("/admin/status", "wrong", 401), ("/admin/status", scene.token, 404),
    ] {
      #expect(try scene.connect().call("GET", path, token: token).status == status, "\(path)")
    }
  }

  @Test func `readiness says what a commit took`() throws {
    let scene = try RelayScene()
    let answer = try scene.client.call("GET", "/ready")
    #expect(answer.status == 200 && answer.json["status"]?.string == "ready")
    #expect(answer.json["commit"]?["ok"]?.bool == true)
    #expect(answer.json["barrier"]?["ok"]?.bool == true)
    #expect(answer.json["reasons"]?.array?.isEmpty == true)
  }
}
