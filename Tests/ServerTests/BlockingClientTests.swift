import Foundation
import HTTPClient
import Relay
import System
import Testing
import Wire

@testable import Commands
@testable import Server

@Suite struct BlockingClientTests {
  @Test func `a command's call is answered, with and without a body`() throws {
    let server = try RelayTestServer()
    let client = try BlockingClient(
      url: "http://\(server.address)/", token: RelayTestServer.admin)
    let health = try client.call("GET", "/health")
    #expect(health.status == 200)
    #expect(String(decoding: health.body, as: UTF8.self) == "{\"status\":\"ok\"}")
    let made = try client.call("POST", "/workspaces", body: Array("{\"name\":\"Ada\"}".utf8))
    #expect(made.status == 201)
    #expect(try client.call("HEAD", "/workspaces").body.isEmpty)
    #expect(try client.call("GET", "/nothing").status == 404)
  }

  @Test func `where nobody listens, or nobody answers, it says so`() throws {
    let silent = try Listener(SocketAddress(ipv4: 0x7F00_0001, port: 0))
    var limits = Limits()
    limits.commandAnswerTime = .milliseconds(20)
    let waiting = try BlockingClient(
      url: "http://\(silent.address)", token: nil, limits: limits)
    var failure = #expect(throws: BlockingClient.Unreachable.self) {
      try waiting.call("GET", "/health")
    }
    #expect(failure?.text.contains("has not answered within") == true)
    let closed = try BlockingClient(url: "http://127.0.0.1:1", token: nil)
    failure = #expect(throws: BlockingClient.Unreachable.self) {
      try closed.call("GET", "/health")
    }
    #expect(failure?.text.contains("no relay can be reached at 127.0.0.1:1") == true)
  }

  @Test(arguments: [
    "https://127.0.0.1:1", "http://relay.example", "http://127.0.0.1:1/?a", "127.0.0.1:80",
    "http://u:passw0rd@127.0.0.1:1", "https://u:passw0rd@127.0.0.1:1",
  ]) func `a URL that cannot be called is refused, and its password not repeated`(url: String) {
    let refusal = #expect(throws: BlockingClient.BadURL.self) {
      try BlockingClient(url: url, token: nil)
    }
    #expect(refusal?.text.contains("passw0rd") == false)
  }

  @Test func `the credential is that of the file named, the environment, or the data directory`()
    throws
  {
    let folder = NSTemporaryDirectory() + "operator-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Data("named-credential-1\n".utf8).write(to: URL(filePath: folder + "/named"))
    try Data("made-credential-22\n".utf8).write(to: URL(filePath: folder + "/admin-token"))
    let find = { (file: String?, environment: [String: String]) throws in
      let place = OperatorPlace(data: folder, relay: nil) { environment[$0] }
      return try OperatorCredential.find(file: file, place: place) { environment[$0] }.secret
    }
    let set = "set-credential-333"
    #expect(try find(folder + "/named", ["ADMIN_TOKEN": set]) == "named-credential-1")
    #expect(try find(nil, ["ADMIN_TOKEN": set]) == set)
    #expect(try find(nil, [:]) == "made-credential-22")
    #expect(throws: OperatorCredential.Missing.self) { try find(folder + "/none", [:]) }
  }
}
