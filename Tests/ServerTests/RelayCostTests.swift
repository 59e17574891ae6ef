import Engine
import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// What a request may cost the loop: its credential decides first, and what is in it is counted.
@Suite struct RelayCostTests {
  private static func values(_ count: Int) -> String {
    "[\(String(repeating: "0,", count: count - 1))0]"
  }

  private static func parts(_ count: Int, _ part: String = "{\"text\":\"\"}") -> String {
    "[\(Array(repeating: part, count: count).joined(separator: ","))]"
  }

  @Test func `a registration's credential decides before its card is looked at`() throws {
    let scene = try RelayScene()
    let card = "{\"agent_card\":{\"name\":5,\"x\":\(Self.values(20_000))},\"id\":\"\(scene.id)\"}"
    let stranger = try scene.connect().call("POST", "/registry/register", body: card)
    #expect(stranger.status == 401)
    let own = try scene.connect().call(
      "POST", "/registry/register", token: scene.token, body: card)
    #expect(own.status == 400 && own.code == "too_many_values")
    let other = "{\"id\":5,\"agent_card\":{\"name\":5}}"
    let unnamed = try scene.connect().call("POST", "/registry/register", body: other)
    #expect(unnamed.status == 400 && unnamed.code == "bad_request")
  }

  @Test(
    arguments: [
      ("POST", "/workspaces"), ("PATCH", "/workspaces/ID"), ("POST", "/orgs"),
      ("POST", "/org/tokens"), ("POST", "/workspaces/ID/tokens"),
      ("POST", "/workspaces/ID/secrets"), ("POST", "/workspaces/ID/redrive"),
      ("POST", "/admin/import"),
    ])
  func `members and elements of a body are counted`(method: String, path: String) throws {
    let scene = try RelayScene()
    let path = path.replacing("ID", with: scene.id)
    let most = Limits().bodyValuesMax
    for body in [
      "{\"x\":\(Self.values(most))}",
      "{\((0...most).map { "\"x\($0)\":0" }.joined(separator: ","))}",
    ] {
      let answer = try scene.connect().call(method, path, token: RelayScene.admin, body: body)
      #expect(answer.status == 400 && answer.code == "too_many_values", "\(answer.json)")
      #expect(answer.json["error"]?.string?.contains("\(most)") == true)
    }
  }

  @Test func `members and elements of messages, results and batches are counted`() throws {
    let scene = try RelayScene()
    let most = Limits().messageValuesMax
    let message = RelayScene.message().replacing(
      "\"blocking\":false", with: "\"blocking\":false,\"x\":\(Self.values(most))")
    let sent = try scene.connect().call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin, body: message)
    #expect(sent.rpcCode == -32600, "\(sent.json)")
    let platform = try scene.connect().call(
      "POST", "/workspaces/\(scene.id)/a2a", token: RelayScene.admin, body: message)
    #expect(platform.status == 400, "\(platform.json)")
    let batch = try scene.connect().call(
      "POST", "/workspaces/\(scene.id)/inbox/batch", token: scene.token,
      body: "{\"calls\":[],\"x\":\(Self.values(most))}")
    #expect(batch.status == 400 && batch.code == "too_many_values")

    let stored = try scene.connect().call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin, body: RelayScene.message())
    #expect(stored.state == "submitted")
    let entry = try scene.take()
    let result = try scene.verb("result", entry, "{\"text\":\"\",\"x\":\(Self.values(most))}")
    #expect(result.status == 400 && result.code == "bad_result")
    let release = try scene.verb(
      "release", entry, "{\"x\":\(Self.values(Limits().bodyValuesMax))}")
    #expect(release.status == 400 && release.code == "too_many_values")
  }

  @Test func `parts and artifacts are counted, and as many as allowed come through`() throws {
    let scene = try RelayScene()
    let most = A2ACall.partsMax
    let send = { (parts: String) in
      try scene.connect().call(
        "POST", "/w/\(scene.id)/", token: RelayScene.admin,
        body: RelayScene.message().replacing(
          "[{\"kind\":\"text\",\"text\":\"hello\"}]", with: parts))
    }
    let part = "{\"kind\":\"text\",\"text\":\"\"}"
    let refused = try send(Self.parts(most + 1, part))
    #expect(refused.rpcCode == -32602, "\(refused.json)")
    #expect(refused.json["error"]?["message"]?.string?.contains("\(most)") == true)
    #expect(try send(Self.parts(most, part)).state == "submitted")

    let entry = try scene.take()
    let artifact = { (parts: Int) in "{\"parts\":\(Self.parts(parts))}" }
    for result in [
      "{\"parts\":\(Self.parts(most + 1))}",
      "{\"message\":{\"role\":\"ROLE_AGENT\",\"parts\":\(Self.parts(most + 1))}}",
      "{\"status\":{\"state\":\"completed\"},\"artifacts\":\(Self.parts(most + 1, "{}"))}",
      """
      {"status":{"state":"completed","message":{"parts":\(Self.parts(1))}},"artifacts":[\
      \(artifact(most / 2)),\(artifact(most / 2))]}
      """,
    ] {
      let answer = try scene.verb("result", entry, result)
      #expect(answer.status == 400 && answer.code == "bad_result", "\(answer.json)")
      #expect(answer.json["error"]?.string?.contains("\(most)") == true)
    }
    let taken = try scene.verb("result", entry, "{\"parts\":\(Self.parts(most))}")
    #expect(taken.status == 200, "\(taken.json)")
  }

  @Test func `the bounds of the modules below are those of the table`() {
    #expect(JSONScanner.valuesMax == Limits().messageValuesMax)
    #expect(AgentCard.bytesMax == Limits().cardBytesMax)
  }
}
