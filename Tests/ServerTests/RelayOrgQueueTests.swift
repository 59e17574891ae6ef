import Foundation
import HTTPTestKit
import Relay
import Store
import Testing
import Wire

@testable import Server

/// Keys of orgs at operators' verbs: what a scope allows, and nothing else.
@Suite struct RelayOrgQueueTests {
  let server: RelayTestServer
  let workspace: (id: String, token: String)
  private let path = NSTemporaryDirectory() + "relay-orgs-" + UUID().uuidString

  init() throws {
    try Self.prepare(path)
    server = try RelayTestServer(path: path)
    workspace = try RelayScene.make(HTTPTestClient(server))
  }

  /// The lock of the directory goes with the object that made it.
  private static func prepare(_ path: String) throws {
    let data = try DataDirectory(path: path, limits: Limits())
    var writes: [RegistryWrite] = []
    for (secret, org, scopes) in [
      ("rorg_admin", "default", RegisteredToken.Scopes.admin), ("rorg_read", "default", .read),
      ("rorg_send", "default", .send), ("rorg_other", "acme", .admin),
    ] {
      let hash = SHA256.hash(Array(secret.utf8))
      writes.append(
        .addToken(
          RegisteredToken(
            hash: hash.bytes, workspace: nil, org: org, kind: .org, scopes: scopes,
            createdAt: WallTime(nanoseconds: 1), fingerprint: secret)))
    }
    try data.registry.commit(writes)
    try data.registry.sync()
    try data.registry.close()
  }

  private func call(_ method: String, _ rest: String, _ token: String) throws -> Int {
    try HTTPTestClient(server).call(
      method, "/workspaces/\(workspace.id)/\(rest)", token: token,
      body: method == "POST" ? "{\"states\":[\"queued\"]}" : ""
    ).status
  }

  @Test func `a key reads with read, acts with admin, and knows nothing of other orgs`() throws {
    let sent = try HTTPTestClient(server).call(
      "POST", "/w/\(workspace.id)/", token: "rorg_send", body: RelayScene.message())
    let message = try #require(sent.field("x-relay-message-id"))
    let reads = ["queue", "messages", "jobs", "messages/\(message)"]
    for rest in reads {
      #expect(try call("GET", rest, "rorg_read") == 200)
      #expect(try call("GET", rest, "rorg_admin") == 200)
      #expect(try call("GET", rest, "rorg_send") == 404)
      #expect(try call("GET", rest, "rorg_other") == 404)
    }
    let verbs = [
      "pause", "resume", "purge", "redrive", "replay", "messages/\(message)/cancel",
      "messages/\(message)/redrive", "messages/\(message)/replay",
    ]
    for token in ["rorg_read", "rorg_send", "rorg_other"] {
      for rest in verbs { #expect(try call("POST", rest, token) == 404, "\(token) \(rest)") }
      #expect(try call("DELETE", "jobs/1", token) == 404)
    }
    let client = try HTTPTestClient(server)
    let base = "/workspaces/\(workspace.id)"
    let state = try client.call("GET", "\(base)/messages/\(message)", token: RelayScene.admin)
    #expect(state.json["state"] == "queued", "nothing has changed")
    #expect(try call("POST", "messages/\(message)/cancel", "rorg_admin") == 200)
    let after = try client.call("GET", "\(base)/messages/\(message)", token: "rorg_read")
    let actors = (after.json["timeline"]?.array ?? []).compactMap { $0["actor"]?.string }
    #expect(actors.first?.hasPrefix("org:default ") == true)
    server.stop()
    server.ended()
    try? FileManager.default.removeItem(atPath: path)
  }
}
