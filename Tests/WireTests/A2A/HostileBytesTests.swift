import Relay
import TestKit
import Testing
import Wire

/// Cut and changed bodies: none may trap, and what is taken must be shown as JSON.
@Suite struct HostileBytesTests {
  static let calls = [
    send03(
      #"{"kind":"message","messageId":"m","role":"user","taskId":"t\u00e9\ud83d\ude00","#
        + #""parts":[{"kind":"file","file":{"bytes":"aGk="}},"#
        + #"{"kind":"data","data":{"a":[1e5,null]}}],"#
        + #""metadata":{"é":"\\\""}}"#, #","configuration":{"blocking":false,"historyLength":2}"#),
    send10(
      #"{"message_id":"m","role":"ROLE_USER","parts":[{"text":"ü\n"},"#
        + #"{"raw":"aGk","media_type":"x"},"#
        + #"{"data":[true]}],"extensions":["e"],"reference_task_ids":["r"]}"#),
    #"{"jsonrpc":"2.0","id":"x","method":"GetTask","params":{"id":"t","historyLength":3}}"#,
  ]
  static let results = [
    #"{"text":"a","state":"input-required","parts":[{"url":"u"}],"data":{"x":1}}"#,
    #"{"jsonrpc":"2.0","id":1,"result":{"task":{"id":"o","status":{"state":"TASK_STATE_FAILED","#
      + #""message":{"messageId":"m","role":"ROLE_AGENT","parts":[{"data":1}]}},"#
      + #""artifacts":[{"name":"n","parts":[{"kind":"text","text":"x"}]}],"metadata":{}}}}"#,
    #"{"kind":"message","role":"agent","parts":[{"kind":"data","data":{}}]}"#,
    #"{"error":{"code":1,"message":"m"}}"#,
  ]

  /// Everything that a body may reach; returns false when something shown is not JSON.
  func isShownAsJSON(_ body: [UInt8]) -> Bool {
    let state: A2AState = .completed
    var turns: [TaskView.Turn] = []
    if case .success(let call) = A2ACall.parse(body, version: nil) {
      turns.append(
        TaskView.Turn(request: body, message: call.message, dialect: call.dialect))
    }
    if case .success = AgentResult.parse(body) {
      turns.append(TaskView.Turn(request: [], message: 0..<0, dialect: .v03, result: body))
    }
    _ = A2ACall.peek(body, version: nil)
    let view = TaskView(id: "t", contextID: "c", state: state, timestamp: "", turns: turns)
    return Dialect.allCases.allSatisfy { dialect in
      let shown = view.sendResult(as: dialect, historyLength: nil)
      return (try? JSONScanner.validate(shown.span)) != nil
    }
  }

  @Test func `a body cut at any byte is refused`() {
    for text in Self.calls + Self.results {
      let body = Array(text.utf8)
      for end in 0..<body.count {
        let cut = Array(body[..<end])
        guard case .failure(let error) = A2ACall.parse(cut, version: nil) else {
          Issue.record("taken when cut at \(end): \(text)")
          continue
        }
        #expect(error.code == -32700)
        if case .success = AgentResult.parse(cut) { Issue.record("result cut at \(end)") }
      }
    }
  }

  @Test func `a random change never traps and never makes bad JSON`() {
    let seed = TestSeed.value
    var random = Dice(seed: seed)
    let texts = (Self.calls + Self.results).map { Array($0.utf8) }
    let bytes = Array(#"{}[]",:\u0 tnf1-"#.utf8) + [0x00, 0x80, 0xC3, 0xED, 0xF0, 0xFF]
    for round in 0..<20_000 {
      var body = texts[Int(random.next() % UInt64(texts.count))]
      for _ in 0...random.next() % 3 {
        let at = Int(random.next() % UInt64(body.count))
        let byte = bytes[Int(random.next() % UInt64(bytes.count))]
        switch random.next() % 4 {
        case 0: body[at] = byte
        case 1: body.insert(byte, at: at)
        case 2 where body.count > 1: body.remove(at: at)
        default:
          let other = texts[Int(random.next() % UInt64(texts.count))]
          let from = Int(random.next() % UInt64(other.count))
          body.insert(contentsOf: other[from..<min(other.count, from + 40)], at: at)
        }
      }
      let isGood = isShownAsJSON(body)
      #expect(isGood, "seed \(seed), round \(round): \(String(decoding: body, as: UTF8.self))")
      let isValid = (try? JSONScanner.validate(body.span)) != nil
      #expect(isValid == ((try? JSON(parsing: body)) != nil), "seed \(seed), round \(round)")
    }
  }
}
