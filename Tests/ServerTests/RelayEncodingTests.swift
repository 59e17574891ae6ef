import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// Bodies that are not what they hold.
@Suite struct RelayEncodingTests {
  @Test func `a compressed body is refused at every route before it is read`() throws {
    let scene = try RelayScene()
    let workspace = "/workspaces/\(scene.id)"
    let routes = [
      ("POST", "/w/\(scene.id)/", RelayScene.admin), ("POST", "/a2a", scene.token),
      ("POST", "/workspaces", RelayScene.admin), ("PATCH", workspace, RelayScene.admin),
      ("POST", "/registry/register", scene.token), ("POST", "/registry/heartbeat", scene.token),
      ("POST", "\(workspace)/inbox/batch", scene.token), ("POST", "/orgs", RelayScene.admin),
      ("POST", "\(workspace)/secrets", RelayScene.admin),
      ("POST", "\(workspace)/tokens", RelayScene.admin),
    ]
    for (method, path, token) in routes {
      for coding in ["gzip", "br", "x-own", "Identity, deflate"] {
        let answer = try scene.connect().call(
          method, path, token: token, fields: [("content-ENCODING", coding)], body: "\u{1F}\u{8B}")
        #expect(answer.status == 415, "\(method) \(path) \(coding)")
        #expect(answer.json["code"]?.string == "content_encoding", "\(method) \(path)")
        #expect(answer.field("accept-encoding") == "identity")
      }
    }
    let stranger = try scene.connect().call(
      "POST", "/orgs", fields: [("Content-Encoding", "gzip")], body: "x")
    #expect(stranger.status == 401, "who may not call is told that")
  }

  @Test func `identity is no coding, and no agent hears of one`() throws {
    let scene = try RelayScene()
    let sent = try scene.client.call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin,
      fields: [("Content-Encoding", "identity"), ("Content-Language", "de")],
      body: RelayScene.message())
    #expect(sent.status == 200)
    let inbox = try scene.client.call(
      "GET", "/workspaces/\(scene.id)/inbox?wait=10", token: scene.token,
      fields: [("Content-Encoding", "gzip")])
    let headers = inbox.entry?["request"]?["headers"]?.array ?? []
    let names = headers.compactMap { $0.array?.first?.string?.lowercased() }
    #expect(names.contains("content-language") && !names.contains("content-encoding"))
  }

  @Test func `a result that callers could not read keeps its lease`() throws {
    let scene = try RelayScene()
    let sent = try scene.client.call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin, body: RelayScene.message())
    #expect(sent.status == 200)
    let entry = try scene.take()
    let refused = try scene.verb("result", entry, #"{"text":"cut \ud83d"}"#)
    #expect(refused.status == 400 && refused.json["code"]?.string == "bad_result")
    #expect(refused.json["error"]?.string?.contains("text: half of a surrogate pair") == true)
    let one = #"{"op":"result","message":"\#(entry.id)","lease":"\#(entry.lease)","result":"#
    let batch = try scene.client.call(
      "POST", "/workspaces/\(scene.id)/inbox/batch", token: scene.token,
      body: #"{"calls":[\#(one){"text":"\ud83d"}},\#(one){"text":"whole"}}]}"#)
    #expect(batch.json["results"]?.array?.map { $0["status"]?.int } == [400, 200])
  }

  @Test func `what is no JSON to everybody is said where it stands`() throws {
    let scene = try RelayScene()
    let answer = try scene.client.call(
      "POST", "/registry/register", token: scene.token,
      body: #"{"id":"\#(scene.id)","agent_card":{"skills":[{"name":"\ud83d"}]}}"#)
    #expect(answer.status == 400)
    #expect(answer.json["error"]?.string?.contains("agent_card.skills[0].name: half") == true)
  }
}
