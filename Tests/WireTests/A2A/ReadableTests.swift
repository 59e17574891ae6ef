import Testing
import Wire

/// What callers and agents hand over is what every reader can read, in every form that there is.
@Suite struct ReadableTests {
  /// Values that are JSON and that some reader of A2A cannot read.
  static let unreadable = [
    #""cut \ud83d""#, #"{"\udc00":1}"#, #""a\u0000b""#, #"[1e400]"#, #"{"a":1,"a":2}"#,
    String(repeating: "[", count: 60) + String(repeating: "]", count: 60),
  ]

  /// Forms of a result, with a place for a value.
  static func results(_ value: String) -> [String] {
    let artifact = #"{"artifactId":"a","parts":[{"text":"x"}],"metadata":{"m":\#(value)}}"#
    return [
      #"{"data":\#(value)}"#, #"{"text":"x","own":\#(value)}"#,
      #"{"kind":"message","role":"agent","messageId":"m","metadata":{"m":\#(value)},"parts":[]}"#,
      #"{"message":{"role":"ROLE_AGENT","messageId":"m","parts":[{"data":\#(value)}]}}"#,
      #"{"kind":"task","status":{"state":"completed"},"artifacts":[\#(artifact)]}"#,
      #"{"task":{"status":{"state":"TASK_STATE_FAILED"},"metadata":{"m":\#(value)}}}"#,
      #"{"jsonrpc":"2.0","id":1,"result":{"parts":[{"data":\#(value)}]}}"#,
      #"{"error":{"code":1,"message":"x","data":\#(value)}}"#,
    ]
  }

  @Test(arguments: unreadable) func `a result is refused, in whatever form`(value: String) throws {
    for body in Self.results(value) {
      guard case .failure(let error) = AgentResult.parse(Array(body.utf8)) else {
        Issue.record("taken: \(body)")
        continue
      }
      #expect(error.description.hasPrefix("callers could not read the result: "))
    }
    for body in Self.results(#"{"a":["\ud83d\ude00",1.5e3]}"#) { _ = try result(body) }
  }

  @Test func `the name of an artifact, an id and a text are no exceptions`() {
    for body in [
      #"{"text":"\ud83d"}"#, #"{"text":"x","state":"\ud83d"}"#,
      #"{"kind":"task","artifacts":[{"name":"\ud83d","parts":[{"text":"x"}]}]}"#,
      #"{"kind":"message","role":"agent","messageId":"\ud83d","parts":[{"text":"x"}]}"#,
      #"{"kind":"message","role":"agent","extensions":["\ud83d"],"parts":[{"text":"x"}]}"#,
    ] {
      guard case .failure = AgentResult.parse(Array(body.utf8)) else {
        Issue.record("taken: \(body)")
        continue
      }
    }
  }

  @Test func `what was stored before this rule is still shown`() throws {
    let body = Array(#"{"text":"cut \ud83d"}"#.utf8)
    #expect(try AgentResult.parse(body, isStored: true).get().text == "cut \u{FFFD}")
  }

  /// The bounds of parts and values are younger than some answers that nobody has read yet.
  @Test func `what was stored before the bounds is still shown`() throws {
    let parts = Array(repeating: #"{"text":"x"}"#, count: 5_000).joined(separator: ",")
    let values = Array(repeating: "0", count: 120_000).joined(separator: ",")
    let artifact = #"{"artifactId":"a","parts":[{"text":"x"}]}"#
    let artifacts = Array(repeating: artifact, count: 5_000).joined(separator: ",")
    for (body, text) in [
      (#"{"parts":[\#(parts)]}"#, 5_000), (#"{"text":"x","data":[\#(values)]}"#, 1),
      (#"{"message":{"role":"ROLE_AGENT","messageId":"m","parts":[\#(parts)]}}"#, 5_000),
      (#"{"kind":"task","artifacts":[\#(artifacts)]}"#, 5_000),
    ] {
      let bytes = Array(body.utf8)
      guard case .failure = AgentResult.parse(bytes) else {
        Issue.record("taken: \(body.prefix(40))")
        continue
      }
      let stored = try AgentResult.parse(bytes, isStored: true).get()
      #expect(stored.text.utf8.count { $0 == UInt8(ascii: "x") } == text)
    }
  }

  @Test(arguments: unreadable) func `a call is refused with its id`(value: String) throws {
    let part = #"{"kind":"data","data":{"d":\#(value)}}"#
    for body in [
      send03(#"{"messageId":"m","role":"user","parts":[\#(part)]}"#),
      send10(#"{"messageId":"m","role":"ROLE_USER","parts":[{"data":\#(value)}]}"#),
      send10(
        #"{"messageId":"m","role":"ROLE_USER","parts":[{"text":"x"}]}"#,
        #","metadata":{"m":\#(value)}"#),
      #"{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"t","x":\#(value)}}"#,
    ] {
      let error = try #require(refusal(body))
      #expect(error.code == -32602 && error.id == Array("1".utf8), "\(error.message)")
      #expect(error.message.hasPrefix("Invalid params: params."), "\(error.message)")
    }
  }

  @Test func `an id that nobody can read is not echoed`() throws {
    for id in [#""\ud83d""#, "1e400", #""a\u0000""#] {
      let body = #"{"jsonrpc":"2.0","id":\#(id),"method":"GetTask","params":{"id":"t"}}"#
      let error = try #require(refusal(body))
      #expect(error.code == -32600 && error.id == Array("null".utf8))
    }
  }

  @Test func `the platform's clients are told, too`() throws {
    let body = Array(
      #"{"id":7,"params":{"message":{"parts":[{"type":"text","text":"\ud83d"}]}}}"#.utf8)
    guard case .failure(let error) = PlatformCall.parse(body, version: nil, newID: { "n" }) else {
      Issue.record("taken")
      return
    }
    #expect(error.code == -32602 && error.id == Array("7".utf8))
    #expect(error.message.contains("params.message.parts[0].text"))
  }

  @Test func `an id in two spellings is refused, and a null one is no id`() throws {
    for pair in [
      #""messageId":"m","message_id":"n""#, #""messageId":"m","taskId":"a","task_id":"b""#,
      #""messageId":"m","contextId":"a","context_id":"b""#,
      #""messageId":"m","referenceTaskIds":["a"],"reference_task_ids":["b"]"#,
    ] {
      let body = send10(#"{"role":"ROLE_USER","parts":[{"text":"x"}],\#(pair)}"#)
      #expect(try #require(refusal(body)).message.contains("two spellings"))
    }
    for (body, dialect) in [
      (
        send03(
          #"{"kind":"message","messageId":"m","role":"user","taskId":null,"contextId":null,"#
            + #""parts":[{"kind":"text","text":"x"}]}"#), Dialect.v03
      ),
      (
        send10(
          #"{"messageId":"m","role":"ROLE_USER","contextId":null,"parts":[{"text":"x"}]}"#),
        .v10
      ),
    ] {
      let call = try call(body)
      let view = TaskView(
        id: "t", contextID: "c", state: .working, timestamp: "",
        turns: [
          TaskView.Turn(
            request: Array(body.utf8), message: call.message, dialect: dialect, result: nil)
        ])
      let shown = view.sendResult(as: dialect, historyLength: nil)
      #expect(JSONUnreadable.first(in: shown.span) == nil)
    }
  }
}
