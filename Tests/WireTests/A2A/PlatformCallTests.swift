import Testing

@testable import Wire

/// What clients of the platform send, and the form in which it is stored.
@Suite struct PlatformCallTests {
  private func parse(_ text: String) -> Result<PlatformCall, A2AError> {
    PlatformCall.parse(Array(text.utf8), version: nil) { "made" }
  }

  private func stored(_ text: String) throws -> String {
    String(decoding: try parse(text).get().body, as: UTF8.self)
  }

  private static func send(_ message: String, more: String = "") -> String {
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"message/send\",\"params\":{\"message\":"
      + "{\(message)}\(more)}}"
  }

  @Test(arguments: [
    send("\"messageId\":\"m\",\"role\":\"user\",\"parts\":[{\"kind\":\"text\",\"text\":\"x\"}]"),
    " { \"jsonrpc\" : \"2.0\", \"id\":1.50, \"method\":\"tasks/get\", \"params\":{\"id\":\"t\"}} ",
  ])
  func `what has A2A's own form stays as it is, byte for byte`(text: String) throws {
    #expect(try stored(text) == text)
  }

  @Test(arguments: [
    (
      "\"role\":\"user\",\"parts\":[{\"kind\":\"text\",\"text\":\"x\"}]",
      "\"messageId\":\"made\",\"role\":\"user\",\"parts\":[{\"kind\":\"text\",\"text\":\"x\"}]"
    ),
    (
      "\"messageId\":\"m\",\"parts\":[{\"type\":\"text\",\"text\":\"\\u00e4\"}],\"x\":1.0",
      "\"role\":\"user\",\"messageId\":\"m\",\"parts\":[{\"kind\":\"text\",\"text\":\"\\u00e4\"}]"
        + ",\"x\":1.0"
    ),
    (
      "\"messageId\":\"m\",\"role\":\"assistant\",\"parts\":[{\"text\":\"x\",\"kind\":\"text\"}]",
      "\"role\":\"agent\",\"messageId\":\"m\",\"parts\":[{\"text\":\"x\",\"kind\":\"text\"}]"
    ),
    (
      "\"messageId\":\"\",\"role\":null,\"content\":\"hi\"",
      "\"messageId\":\"made\",\"role\":\"user\",\"parts\":[{\"kind\":\"text\",\"text\":\"hi\"}]"
    ),
    (
      "\"messageId\":\"m\",\"role\":\"user\",\"parts\":null,\"content\":[\"a\",{\"type\":\"text\","
        + "\"text\":\"b\"}]",
      "\"role\":\"user\",\"messageId\":\"m\",\"parts\":[{\"kind\":\"text\",\"text\":\"a\"},"
        + "{\"kind\":\"text\",\"text\":\"b\"}]"
    ),
    (
      "\"messageId\":\"m\",\"role\":\"user\",\"content\":{\"text\":\"b\"}",
      "\"role\":\"user\",\"messageId\":\"m\",\"parts\":[{\"kind\":\"text\",\"text\":\"b\"}]"
    ),
    (
      "\"messageId\":\"m\",\"role\":\"user\",\"parts\":[{\"kind\":\"data\",\"type\":\"x\","
        + "\"data\":{}}]",
      "\"role\":\"user\",\"messageId\":\"m\",\"parts\":[{\"kind\":\"data\",\"data\":{}}]"
    ),
  ])
  func `what is missing or named otherwise is mended, and nothing else`(
    given: String, message: String
  ) throws {
    #expect(try stored(Self.send(given)) == Self.send(message))
    // What is stored is read again later.
    #expect(try stored(Self.send(message)) == Self.send(message))
  }

  @Test func `a body without jsonrpc is wrapped, and its id and method are kept if it has some`()
    throws
  {
    let message =
      "{\"messageId\":\"m\",\"role\":\"user\",\"parts\":[{\"kind\":\"text\","
      + "\"text\":\"x\"}]}"
    #expect(
      try stored("{\"params\":{\"message\":\(message)}}")
        == "{\"jsonrpc\":\"2.0\",\"id\":\"made\",\"method\":\"message/send\",\"params\":"
        + "{\"message\":\(message)}}")
    let get = "{\"id\":7,\"method\":\"tasks/get\",\"params\":{\"id\":\"t\"}}"
    #expect(
      try stored(get)
        == "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tasks/get\",\"params\":{\"id\":\"t\"}}")
  }

  @Test(arguments: [
    ("", -32700), ("{", -32700), ("{} x", -32700), ("[]", -32600), ("7", -32600), ("{}", -32600),
    ("{\"jsonrpc\":\"1.0\",\"method\":\"message/send\"}", -32600),
    ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no/such\"}", -32601),
    (send("\"role\":\"user\""), -32602), (send("\"role\":\"user\",\"content\":7"), -32602),
    (send("\"role\":\"user\",\"content\":[]"), -32602),
    (send("\"role\":\"system\",\"content\":\"x\""), -32602),
    (send("\"role\":7,\"content\":\"x\""), -32602),
    (send("\"parts\":[{\"type\":7}]"), -32602), (send("\"parts\":\"x\""), -32602),
  ])
  func `what cannot be mended is refused, not dropped`(text: String, code: Int) {
    guard case .failure(let error) = parse(text) else {
      Issue.record("taken: \(text)")
      return
    }
    #expect(error.code == code)
  }

  @Test func `the target is named in three places, the first of them counts`() throws {
    let message = "\"content\":\"x\""
    let all = [
      (",\"metadata\":{\"target_workspace_id\":\"a\",\"to\":\"b\"},\"to\":\"c\"", "a"),
      (",\"metadata\":{\"to\":\"b\"},\"to\":\"c\"", "b"), (",\"metadata\":{},\"to\":\"c\"", "c"),
      (",\"to\":7", nil), ("", nil),
    ]
    for (more, target) in all {
      #expect(try parse(Self.send(message, more: more)).get().target == target)
    }
  }

  @Test func `an agent's role is that of an answer`() throws {
    for (role, isReply) in [
      ("user", false), ("agent", true), ("assistant", true), ("ROLE_AGENT", true),
      ("ROLE_USER", false),
    ] {
      let call = try parse(Self.send("\"role\":\"\(role)\",\"content\":\"x\"")).get()
      #expect(call.isReply == isReply)
      #expect(call.rpc.role == (isReply ? .agent : .user))
    }
  }

  @Test func `whatever is taken is good, and comes out the same when it is read again`() throws {
    let ids = [
      "", "\"messageId\":\"m\"", "\"messageId\":\"\"", "\"messageId\":null", "\"message_id\":7",
    ]
    let roles = [
      "", "\"role\":\"user\"", "\"role\":\"assistant\"", "\"role\":null", "\"role\":\"x\"",
    ]
    let texts = [
      "", "null", "[]", "7", "{}", "\"a\"", "[\"a\"]", "[{\"type\":\"text\",\"text\":\"a\"}]",
      "[{\"text\":\"a\"}]", "[{\"kind\":null,\"type\":\"text\",\"text\":\"a\"},null]",
      "[{\"kind\":\"text\",\"text\":\"a\"}]",
    ]
    var taken = 0
    for id in ids {
      for role in roles {
        for parts in texts {
          for content in texts {
            let members = [
              id, role, parts.isEmpty ? "" : "\"parts\":\(parts)",
              content.isEmpty ? "" : "\"content\":\(content)",
            ].filter { !$0.isEmpty }
            for message in [members, members.reversed()] {
              let text = Self.send(message.joined(separator: ","))
              guard case .success(let call) = parse(text) else { continue }
              taken += 1
              #expect(call.rpc.messageID != nil && call.rpc.text(in: call.body) == "a", "\(text)")
              let again = PlatformCall.parse(call.body, version: nil) { "other" }
              #expect(try again.get().body == call.body, "\(text)")
            }
          }
        }
      }
    }
    #expect(taken > 500)
  }

  @Test func `no cut of a body is read as something else`() throws {
    let whole = Array(
      Self.send("\"content\":[{\"type\":\"text\",\"text\":\"x\"}]", more: ",\"to\":\"a\"").utf8)
    for end in 0..<whole.count {
      let cut = PlatformCall.parse(Array(whole[..<end]), version: nil) { "made" }
      #expect(throws: A2AError.self) { try cut.get() }
    }
  }
}
