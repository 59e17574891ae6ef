import Testing

@testable import Wire

@Suite struct HTTPHostTests {
  @Test(
    arguments: [
      ("relay.lan", "relay.lan", nil), ("Relay.LAN:8080", "relay.lan", 8080),
      ("relay.lan.", "relay.lan", nil), ("relay.lan.:80", "relay.lan", 80),
      ("10.0.0.5:1", "10.0.0.5", 1), ("[::1]", "[::1]", nil),
      (
        "[FE80::1]:65535", "[fe80::1]",
        65535
      ),
      ("relay.lan:", "relay.lan", nil),
    ] as [(String, String, Int?)])
  func `a host is compared without case, last dot and port`(
    text: String, host: String, port: Int?
  ) {
    #expect(HostPort(text)?.host == host)
    #expect(HostPort(text)?.port == port)
  }

  @Test(arguments: [
    "", ":80", ".", "a:b", "a:65536", "a:-1", "a:1:2", "::1", "[::1", "[::1]8", "u@a", "u:p@a",
    "a/b", "a b", "a,b:x", "ä", "x[::1]", String(repeating: "a", count: 256),
  ]) func `text that is not a host and port is refused`(text: String) {
    #expect(HostPort(text) == nil)
  }

  @Test func `origins are equal by scheme, host and port`() throws {
    let origin = try #require(WebOrigin(url: "https://relay.example"))
    for same in ["https://relay.example:443", "HTTPS://Relay.Example.", "https://relay.example/p"] {
      #expect(WebOrigin(url: same) == origin, "\(same)")
    }
    for other in ["http://relay.example", "https://relay.example:444", "https://relay.example.o"] {
      #expect(WebOrigin(url: other) != nil && WebOrigin(url: other) != origin, "\(other)")
    }
    for none in ["null", "", "file://", "https:relay.example", "moz-extension://a", "https://u@a"] {
      #expect(WebOrigin(url: none) == nil, "\(none)")
    }
  }

  private static let users = [
    ("https://user@host/p", "https://host/p"), ("https://user:pass@host:1?q", "https://host:1?q"),
    ("HTTP://u:p@[::1]/", "HTTP://[::1]/"), ("https://a@b@host", "https://host"),
    ("https:/u:p@host", "https:/host"), ("https:\\\\u:p@host\\x", "https:\\\\host\\x"),
    (" ftp+x://u@host#f", " ftp+x://host#f"), ("https:////u@host", "https:////host"),
    ("https:u:p@host", "https:host"), ("//u:p@host/x", "//host/x"),
    ("ht\ttp://u:p\n@host", "http://host"),
  ]

  @Test(arguments: users)
  func `a user name in a URL is seen and taken out`(url: String, bare: String) {
    #expect(URLUser.isIn(url))
    #expect(URLUser.removed(from: url) == bare)
  }

  @Test(arguments: [
    "https://host/@user", "https://host?a=u@h", "https://host#u@h", "mailto:u@host", "u@host", "",
    "see https://u@host", "https://", "1x://u@host", "a b://u@host", "https: ask u@host",
    "// u@host", "/u@host",
  ]) func `any other text is left alone`(text: String) {
    #expect(!URLUser.isIn(text))
    #expect(URLUser.removed(from: text) == text)
  }

  @Test func `a card that is stored already is published without`() throws {
    let card = try JSON(
      parsing: Array(
        #"{"name":"A","provider":{"organization":"o","url":"https://u:p@h/x"},"y":["ftp://u@h"]}"#
          .utf8))
    let shown = String(
      decoding: AgentCard.synthesize(
        registered: card.bytes, workspaceName: "w", base: "http://relay/w/", relayKeyScheme: false,
        relayVersion: "1"), as: UTF8.self)
    #expect(shown.contains("https://h/x") && shown.contains("ftp://h") && !shown.contains("@"))
  }

  @Test func `the place of the URL is named`() throws {
    let card = try JSON(
      parsing: Array(#"{"a":1,"skills":[{},{"x":"https://u:p@h"}],"url":"https://h"}"#.utf8))
    #expect(URLUser.place(in: card) == "skills.1.x")
    #expect(URLUser.place(in: URLUser.removed(from: card)) == nil)
    #expect(URLUser.removed(from: card)["skills"]?.array?.last?["x"] == "https://h")
  }
}
