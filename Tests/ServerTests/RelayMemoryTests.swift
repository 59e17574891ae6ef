import Engine
import Glibc
import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// Memory that others fill: nobody without a credential, and no credential alone, keeps the rest
/// from being served.
@Suite struct RelayMemoryTests {
  private static let megabyte = 1024 * 1024

  /// A body that is announced and stays without its last byte.
  private func park(_ scene: RelayScene, _ path: String, _ count: Int) throws -> HTTPTestClient {
    let client = try scene.connect()
    let body = String(repeating: "{", count: count - 1)
    try client.send(
      "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(count)\r\n\r\n\(body)")
    return client
  }

  @Test func `closed registration without a bearer is refused by its head`() throws {
    let server = try RelayTestServer(.closed)
    let client = try HTTPTestClient(server)
    try client.send(
      "POST /registry/register HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n")
    #expect(try client.answer().status == 401)
  }

  @Test func `bodies without a credential leave the rest to those with one`() throws {
    let scene = try RelayScene(settings: ",\"callers\":\"agent\"") {
      $0.bodiesInMemoryMax = Self.megabyte
    }
    let paths = ["/registry/register", "/w/\(scene.id)/"]
    var parked = try paths.map { try park(scene, $0, 120_000) }
    // The heads have arrived by the time this is answered.
    #expect(try scene.connect().call("GET", "/health").status == 200)
    for path in paths {
      let refused = try scene.connect().call(
        "POST", path, body: String(repeating: " ", count: 60_000))
      #expect(refused.status == 503 && refused.code == "memory_full", "\(path)")
    }
    let sent = try scene.connect().call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin,
      body: RelayScene.message(String(repeating: "x", count: 500_000)))
    #expect(sent.state == "submitted")
    let entry = try scene.take()
    #expect(
      try scene.verb("result", entry, "{\"text\":\"\(String(repeating: "y", count: 500_000))\"}")
        .status == 200)
    let card = "/w/\(scene.id)/.well-known/agent-card.json"
    #expect(try scene.connect().call("GET", card).status == 200)
    #expect(try scene.connect().call("OPTIONS", "/w/\(scene.id)/").status == 204)
    // What is let go is there again.
    for client in parked { client.reset() }
    parked = []
    var answer = HTTPTestClient.Answer()
    for _ in 0..<1000 where answer.status != 200 {
      answer = try scene.connect().call(
        "POST", "/w/\(scene.id)/",
        body: RelayScene.message(String(repeating: "x", count: 200_000), messageID: "m-2"))
    }
    #expect(answer.state == "submitted")
  }

  @Test func `announcing costs a stranger's neighbours nothing`() throws {
    let server = try RelayTestServer { $0.bodiesInMemoryMax = Self.megabyte }
    let made = try HTTPTestClient(server).call("POST", "/workspaces", token: RelayScene.admin)
    var announced: [HTTPTestClient] = []
    for _ in 0..<20 {
      let client = try HTTPTestClient(server)
      try client.send(
        "POST /registry/register HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n{")
      announced.append(client)
    }
    #expect(try HTTPTestClient(server).call("GET", "/health").status == 200)
    let claim = try HTTPTestClient(server).call(
      "POST", "/registry/register", body: "{\"id\":\"\(made.json["id"]?.string ?? "")\"}")
    #expect(claim.status == 200)
    // What comes of it counts.
    try announced[0].send(String(repeating: " ", count: 199_000))
    // A turn reads 64 KiB of it, and answers one of these at most.
    for _ in 0..<8 { #expect(try HTTPTestClient(server).call("GET", "/health").status == 200) }
    try announced[1].send(String(repeating: " ", count: 199_000))
    #expect(try announced[1].answer().code == "memory_full")
  }

  @Test func `the agents of one org announce, and another org is served`() throws {
    let server = try RelayTestServer { $0.bodiesInMemoryMax = 12 * Self.megabyte }
    let call = { (path: String, token: String, body: String) in
      try HTTPTestClient(server).call("POST", path, token: token, body: body)
    }
    var agents: [(id: String, token: String)] = []
    for org in ["one", "one", "one", "one", "one", "two"] {
      _ = try call("/orgs", RelayScene.admin, "{\"id\":\"\(org)\"}")
      let made = try call("/workspaces", RelayScene.admin, "{\"org\":\"\(org)\"}")
      let id = made.json["id"]?.string ?? ""
      let registered = try call("/registry/register", RelayScene.admin, "{\"id\":\"\(id)\"}")
      agents.append((id, registered.json["auth_token"]?.string ?? ""))
    }
    var announced: [HTTPTestClient] = []
    for agent in agents.dropLast() {
      for size in [Self.megabyte, Self.megabyte, 100_000, 100_000, 1000, 1000] {
        let client = try HTTPTestClient(server)
        try client.send(
          """
          POST /workspaces/\(agent.id)/inbox/batch HTTP/1.1\r\nHost: a\r\n\
          Authorization: Bearer \(agent.token)\r\nContent-Length: \(size)\r\n\r\n{
          """)
        announced.append(client)
      }
    }
    #expect(try HTTPTestClient(server).call("GET", "/health").status == 200)
    let message = RelayScene.message(String(repeating: "x", count: 2 * Self.megabyte))
    let own = try call("/w/\(agents[0].id)/", agents[0].token, message)
    #expect(own.status == 503 && own.code == "memory_full")
    let other = try call("/w/\(agents[5].id)/", agents[5].token, message)
    #expect(other.state == "submitted", "\(other.json)")
  }

  @Test func `a body without a credential has less room and less time`() throws {
    let scene = try RelayScene(settings: ",\"callers\":\"agent\"") {
      $0.anonymousBodyBytesMax = 1000
      $0.anonymousBodyTime = .milliseconds(20)
    }
    let body = RelayScene.message(String(repeating: "x", count: 1000))
    let path = "/w/\(scene.id)/"
    #expect(try scene.connect().call("POST", path, body: body).status == 413)
    #expect(
      try scene.connect().call("POST", path, token: RelayScene.admin, body: body).state
        == "submitted")
    #expect(try park(scene, "/registry/register", 500).answer().status == 408)
  }

  @Test func `one credential's unread answers refuse that credential and nobody else`() throws {
    // More than its share, and than the kernel takes off the relay's hands.
    let scene = try RelayScene {
      $0.bodiesInMemoryMax = 40 * Self.megabyte
      $0.unreadSharePercent = 5
    }
    let other = try RelayScene.make(scene.connect())
    let sent = try scene.connect().call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin,
      body: RelayScene.message(String(repeating: "x", count: 9 * Self.megabyte)))
    let id = try #require(sent.task?["id"]?.string)
    let request =
      "POST /w/\(scene.id)/ HTTP/1.1\r\nHost: a\r\nX-Relay-Key: \(RelayScene.admin)\r\n"
    let body =
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tasks/get\",\"params\":{\"id\":\"\(id)\"}}"
    let one = request + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
    var readers: [HTTPTestClient] = []
    for _ in 0..<5 {
      let reader = try HTTPTestClient(to: scene.server.address, receiveBuffer: 4096)
      // Pipelined: what follows the first is not looked at before that has left.
      try reader.send(String(repeating: one, count: 3))
      readers.append(reader)
    }
    let own = { try scene.connect().call("GET", "/workspaces", token: RelayScene.admin) }
    var refused = HTTPTestClient.Answer()
    for _ in 0..<1000 where refused.status != 503 { refused = try own() }
    #expect(refused.code == "memory_full")
    let served = try scene.connect().call(
      "POST", "/w/\(other.id)/", token: other.token, body: RelayScene.message())
    #expect(served.state == "submitted")
    for reader in readers { reader.reset() }
    readers = []
    var again = HTTPTestClient.Answer()
    for _ in 0..<1000 where again.status != 200 { again = try own() }
    #expect(again.status == 200)
  }
  @Test func `one credential's announced bodies refuse that credential and nobody else`() throws {
    let scene = try RelayScene { $0.bodiesInMemoryMax = 12 * Self.megabyte }
    let other = try RelayScene.make(scene.connect())
    let head = "POST /w/\(scene.id)/ HTTP/1.1\r\nHost: a\r\nX-Relay-Key: \(RelayScene.admin)\r\n"
    var announced: [HTTPTestClient] = []
    for _ in 0..<6 {
      let client = try scene.connect()
      try client.send(head + "Content-Length: \(Self.megabyte)\r\n\r\n")
      announced.append(client)
    }
    let large = RelayScene.message(String(repeating: "x", count: Self.megabyte))
    var refused = HTTPTestClient.Answer()
    for _ in 0..<1000 where refused.status != 503 {
      refused = try scene.connect().call(
        "POST", "/w/\(scene.id)/", token: RelayScene.admin, body: large)
    }
    #expect(refused.code == "memory_full")
    #expect(
      try scene.connect().call("POST", "/w/\(other.id)/", token: other.token, body: large).state
        == "submitted")
    // What needs no body, or answers little, goes on for the credential itself.
    #expect(
      try scene.connect().call("GET", "/workspaces", token: RelayScene.admin).status == 200)
    for client in announced { client.reset() }
  }
}
