import Engine
import HTTPTestKit
import Relay
import System
import Testing
import Wire

@testable import Server

/// Who gets in from a browser: only under the relay's own names, and from a page of another origin
/// only with a credential.
@Suite struct DoorTests {
  private static let root = "0b51ae6a-1d7c-4f5e-9a2f-6d2f0c3b4a59"
  private let server: RelayTestServer
  private let token: String

  /// The public URL is `http://relay`.
  init() throws {
    server = try RelayTestServer(.open, root: WorkspaceID(Self.root), hosts: ["other.example"])
    let client = try HTTPTestClient(server)
    let made = try client.call(
      "POST", "/workspaces", token: RelayTestServer.admin,
      body: "{\"id\":\"\(Self.root)\",\"callers\":\"agent\"}")
    #expect(made.status == 201, "\(made.text)")
    let registered = try client.call(
      "POST", "/registry/register", token: RelayTestServer.admin, body: "{\"id\":\"\(Self.root)\"}")
    token = registered.json["auth_token"]?.string ?? ""
  }

  private func answer(
    _ line: String, _ fields: [String], body: String = ""
  ) throws -> HTTPTestClient.Answer {
    let client = try HTTPTestClient(server)
    let head = [line] + fields + ["Content-Length: \(body.utf8.count)", "Connection: close"]
    try client.send(head.joined(separator: "\r\n") + "\r\n\r\n" + body)
    return try client.answer()
  }

  private var port: String { "\(server.address.port)" }

  private var messages: Int? {
    get throws {
      let answer = try HTTPTestClient(server).call(
        "GET", "/workspaces/\(Self.root)/messages", token: RelayTestServer.admin)
      return answer.json["messages"]?.array?.count
    }
  }

  // MARK: Host

  @Test(arguments: [
    "127.0.0.1", "127.0.0.1:8080", "127.0.0.1:1", "10.9.8.7", "[::1]:8080", "[2001:DB8::1]",
    "localhost", "LocalHost:99", "localhost.", "relay", "RELAY:80", "relay.", "other.example:1",
    "Other.Example",
  ]) func `an address, localhost and the relay's names are let in`(host: String) throws {
    #expect(try answer("GET /health HTTP/1.1", ["Host: \(host)"]).status == 200)
    // The authority of a whole URL counts, whatever the Host says.
    let whole = try answer("GET http://\(host)/health HTTP/1.1", ["Host: evil.example"])
    #expect(whole.status == 200)
  }

  @Test(arguments: [
    "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "relay.evil.example", "",
    "127.1", "2130706433", "0x7f.0.0.1", "xrelay", "::1", "[evil]", "relay:x", "relay..", "evil:80",
    "other.example.org",
  ]) func `any other name is refused, for every route`(host: String) throws {
    let paths = [
      "/health", "/ready", "/metrics", "/", "/nothing", "/w/\(Self.root)/", "/workspaces",
      "/registry/register", "/.well-known/agent-card.json", "/workspaces/\(Self.root)/inbox",
      "/admin/status", "/w/none",
    ]
    for path in paths {
      for method in ["GET", "POST", "OPTIONS"] {
        let refused = try answer(
          "\(method) \(path) HTTP/1.1",
          ["Host: \(host)", "Authorization: Bearer made-up-credential"])
        #expect(refused.status == 421 && refused.code == "wrong_host", "\(method) \(path)")
        #expect(refused.text.contains("--allow-host"))
      }
    }
    if !host.isEmpty, HostPort(host) != nil {
      let whole = try answer("GET http://\(host)/health HTTP/1.1", ["Host: relay"])
      #expect(whole.status == 421)
    }
  }

  @Test func `a credential of the relay is let in under any name`() throws {
    let reads = [
      ("/workspaces", RelayTestServer.admin), ("/workspaces/\(Self.root)/inbox?wait=0", token),
    ]
    for (path, secret) in reads {
      let bearer = ["Host: evil.example", "Authorization: Bearer \(secret)"]
      #expect([200, 204].contains(try answer("GET \(path) HTTP/1.1", bearer).status), "\(path)")
    }
    let key = ["Host: evil.example", "X-Relay-Key: \(RelayTestServer.admin)"]
    #expect(try answer("POST / HTTP/1.1", key, body: RelayScene.message()).status == 200)
    let wrong = ["Host: evil.example", "X-Relay-Key: made-up-credential"]
    #expect(try answer("POST / HTTP/1.1", wrong, body: RelayScene.message()).status == 421)
  }

  @Test func `HTTP 1.0 may say no host, and no wrong one`() throws {
    #expect(try answer("GET /health HTTP/1.0", []).status == 200)
    #expect(try answer("GET /health HTTP/1.0", ["Host: evil.example"]).status == 421)
    #expect(try answer("GET http://evil.example/health HTTP/1.0", []).status == 421)
  }

  @Test func `on one connection each request's host is looked at`() throws {
    let client = try HTTPTestClient(server)
    for (host, status) in [("relay", 200), ("evil.example", 421), ("relay", 200), ("evil", 421)] {
      try client.send("GET /health HTTP/1.1\r\nHost: \(host)\r\n\r\n")
      #expect(try client.answer().status == status, "\(host)")
    }
  }

  // MARK: Origin

  private static let foreign: [[String]] = [
    ["Origin: https://evil.example"], ["Origin: null"], ["Origin: http://relay:81"],
    ["Origin: http://localhost:3000"], ["Origin: http://127.0.0.1"], ["Origin: file://"],
    ["Origin: https://relay"], ["Origin: http://relay@evil.example"], ["Origin: "],
    ["Origin: http://relay", "Origin: https://evil.example"],
    ["Sec-Fetch-Site: cross-site"], ["Sec-Fetch-Site: same-site"], ["Sec-Fetch-Site: Cross-Site"],
    ["Origin: http://relay", "Sec-Fetch-Site: cross-site"],
  ]

  @Test(arguments: foreign)
  func `a page of another origin changes nothing without a credential`(fields: [String]) throws {
    let host = ["Host: 127.0.0.1:\(port)"]
    let new = "1b51ae6a-1d7c-4f5e-9a2f-6d2f0c3b4a59"
    let body = "{\"id\":\"\(new)\"}"
    let calls = [
      ("POST / HTTP/1.1", RelayScene.message()),
      ("POST /w/\(Self.root)/ HTTP/1.1", RelayScene.message()),
      ("POST /workspaces/\(Self.root)/a2a HTTP/1.1", RelayScene.message()),
      ("POST /a2a HTTP/1.1", RelayScene.message()),
      ("POST /registry/register HTTP/1.1", body), ("POST /workspaces HTTP/1.1", body),
      ("GET /workspaces/\(Self.root)/inbox?wait=0 HTTP/1.1", ""),
      ("DELETE /workspaces/\(Self.root) HTTP/1.1", ""),
      ("PATCH /workspaces/\(Self.root) HTTP/1.1", body),
    ]
    for (line, body) in calls {
      let refused = try answer(line, host + fields, body: body)
      #expect(refused.status == 403 && refused.code == "foreign_origin", "\(line)")
      // A credential that is none of the relay's is none.
      let wrong = try answer(
        line, host + fields + ["Authorization: Bearer made-up"], body: body)
      #expect([401, 403].contains(wrong.status), "\(line)")
    }
    let made = try HTTPTestClient(server).call(
      "GET", "/workspaces/\(new)", token: RelayTestServer.admin)
    #expect(made.status == 404)
    #expect(try messages == 0)
  }

  @Test(arguments: foreign)
  func `with a credential it may, and what is public it may read`(fields: [String]) throws {
    let host = ["Host: 127.0.0.1:\(port)"]
    let key = host + fields + ["X-Relay-Key: \(RelayTestServer.admin)"]
    #expect(try answer("POST / HTTP/1.1", key, body: RelayScene.message()).status == 200)
    let bearer = host + fields + ["Authorization: Bearer \(token)"]
    let polled = try answer("GET /workspaces/\(Self.root)/inbox?wait=0 HTTP/1.1", bearer)
    #expect(polled.json["messages"]?.array?.count == 1)
    for path in ["/health", "/.well-known/agent-card.json"] {
      #expect(try answer("GET \(path) HTTP/1.1", host + fields).status == 200)
    }
    #expect(try answer("OPTIONS / HTTP/1.1", host + fields).status == 204)
  }

  @Test func `programs and the relay's own pages need none where strangers may call`() throws {
    let own: [[String]] = [
      ["Host: 127.0.0.1:\(port)"], ["Host: 127.0.0.1:\(port)", "Sec-Fetch-Site: none"],
      ["Host: 127.0.0.1:\(port)", "Origin: http://127.0.0.1:\(port)"],
      [
        "Host: LOCALHOST:\(port)", "Origin: http://localhost:\(port)",
        "Sec-Fetch-Site: same-origin",
      ],
      // A proxy that speaks TLS for the relay, and one that gives it a Host of its own.
      ["Host: other.example", "Origin: https://other.example"],
      ["Host: 127.0.0.1:\(port)", "Origin: http://relay"],
      ["Host: relay:80", "Origin: http://relay"],
    ]
    for (index, fields) in own.enumerated() {
      let message = RelayScene.message(messageID: "m-\(index)")
      let sent = try answer("POST / HTTP/1.1", fields, body: message)
      #expect(sent.status == 200, "\(fields)")
    }
    #expect(try messages == own.count)
  }
}
