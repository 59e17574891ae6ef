import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// One workspace also at the host's root, for clients that look nowhere else.
@Suite struct RootWorkspaceTests {
  private static let text = "0b51ae6a-1d7c-4f5e-9a2f-6d2f0c3b4a59"
  private let server: RelayTestServer
  private let client: HTTPTestClient

  init() throws {
    server = try RelayTestServer(root: WorkspaceID(Self.text))
    client = try HTTPTestClient(server)
  }

  private func make() throws -> String {
    let admin = RelayTestServer.admin
    let body = "{\"id\":\"\(Self.text)\",\"name\":\"Root\"}"
    #expect(try client.call("POST", "/workspaces", token: admin, body: body).status == 201)
    let registered = try client.call(
      "POST", "/registry/register", token: admin,
      body: "{\"id\":\"\(Self.text)\",\"agent_card\":{\"name\":\"Root\"}}")
    return registered.json["auth_token"]?.string ?? ""
  }

  @Test func `the card and the calls of the root workspace are at the host's root`() throws {
    let token = try make()
    for name in ["agent-card.json", "agent.json"] {
      let card = try client.call("GET", "/.well-known/\(name)")
      let own = try client.call("GET", "/w/\(Self.text)/.well-known/\(name)")
      #expect(card.status == 200 && card.text == own.text)
      #expect(card.text.contains("http://relay/w/\(Self.text)/"))
    }
    let sent = try client.call(
      "POST", "/", token: RelayTestServer.admin, body: RelayScene.message("at the root"))
    #expect(sent.status == 200 && sent.state == "submitted", "\(sent.text)")
    let inbox = try client.call("GET", "/workspaces/\(Self.text)/inbox?wait=10", token: token)
    #expect(inbox.json["messages"]?.array?.first?["text"] == "at the root")
    #expect(try client.call("OPTIONS", "/").status == 204)
  }

  @Test func `the root is no way round the credential, and no page`() throws {
    _ = try make()
    #expect(try client.call("POST", "/", body: RelayScene.message()).status == 401)
    // A request that is refused before its body has been read ends its connection.
    #expect(try HTTPTestClient(server).call("GET", "/").status == 404)
    #expect(try HTTPTestClient(server).call("GET", "/.well-known/other").status == 404)
  }

  @Test func `a root workspace that is not there is nothing`() throws {
    #expect(try client.call("GET", "/.well-known/agent-card.json").status == 404)
    let sent = try client.call(
      "POST", "/", token: RelayTestServer.admin, body: RelayScene.message())
    #expect(sent.status == 404)
  }

  @Test func `without the flag the root is nobody's`() throws {
    let scene = try RelayScene()
    let sent = try scene.client.call(
      "POST", "/", token: RelayScene.admin, body: RelayScene.message())
    #expect(sent.status == 404 && sent.code == "no_route")
    #expect(try scene.connect().call("GET", "/.well-known/agent-card.json").status == 404)
  }
}
