import Testing
import Wire

/// File content as writers really spell it, and as every reader decodes it.
@Suite struct Base64Tests {
  @Test(arguments: [
    ("aGVsbG8/", "aGVsbG8/"), (#"aGVs\nbG8/"#, "aGVsbG8/"), (#"aGVs\r\nbG8/\r\n"#, "aGVsbG8/"),
    (#" aGVs\tbG8 / "#, "aGVsbG8/"), ("aGVsbG8_", "aGVsbG8/"), ("-_-_", "+/+/"),
    (#"aGk=\n"#, "aGk="), ("aGk", "aGk="), ("aA", "aA=="), ("aA=", "aA=="),
    // Bits behind the last byte.
    ("aGl=", "aGk="), ("aGl", "aGk="), ("aP==", "aA=="), ("aGVs_x", "aGVs/w=="),
    (#"aA=\r\n=\r\n"#, "aA=="),
    (#"aGVsbG8\/"#, #"aGVsbG8\/"#), ("", ""),
  ]) func `loose base64 is taken and passed on in one form`(given: String, shown: String) throws {
    let bodies = [
      send03(
        #"{"kind":"message","messageId":"m","role":"user","#
          + #""parts":[{"kind":"file","file":{"bytes":"\#(given)","name":"n"}}]}"#),
      send10(
        #"{"messageId":"m","role":"ROLE_USER","parts":[{"raw":"\#(given)","filename":"n"}]}"#),
    ]
    let results = [
      #"{"parts":[{"kind":"file","file":{"bytes":"\#(given)"}}]}"#,
      #"{"parts":[{"raw":"\#(given)"}]}"#,
    ]
    for (body, result) in zip(bodies, results) {
      let call = try call(body)
      let turn = TaskView.Turn(
        request: Array(body.utf8), message: call.message, dialect: call.dialect,
        result: Array(result.utf8))
      let view = TaskView(id: "t", contextID: "c", state: .completed, timestamp: "", turns: [turn])
      for dialect in Dialect.allCases {
        let task = String(
          decoding: view.result(as: dialect, historyLength: nil), as: UTF8.self)
        let member = dialect == .v03 ? "bytes" : "raw"
        // In the message, its answer, the status and the artifact.
        #expect(task.ranges(of: "\"\(member)\":\"\(shown)\"").count == 4, "\(task)")
      }
    }
  }

  @Test(arguments: ["a", "aGk*", "=", "a=Gk", "aGk===", #"a\u00e9"#, #"aGVsb\n"#])
  func `text that is not base64 is refused`(given: String) throws {
    let body = send10(#"{"messageId":"m","role":"ROLE_USER","parts":[{"raw":"\#(given)"}]}"#)
    #expect(try #require(refusal(body)).message.contains("base64"))
    let posted = Array(#"{"parts":[{"kind":"file","file":{"bytes":"\#(given)"}}]}"#.utf8)
    guard case .failure(let error) = AgentResult.parse(posted) else {
      Issue.record("taken: \(given)")
      return
    }
    #expect(error.description.contains("base64"))
  }

  /// Blocks of letters are looked at together: what stands anywhere in one must not be passed over.
  @Test func `every interruption is found at every place of a long file`() throws {
    let letters = Array("AZaz09+/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234567".utf8)
    for length in [3, 15, 16, 17, 31, 32, 33, 48, 68] {
      let given = Array(letters[..<length])
      for byte in Array(" -_=*,.:@[`{/0".utf8) + [0x7F] {
        for place in 0..<length {
          var changed = given
          changed[place] = byte
          try compare(changed)
        }
      }
      try compare(given)
    }
  }

  private func compare(_ given: [UInt8]) throws {
    let text = String(decoding: given, as: UTF8.self)
    let body = Array(
      send10(#"{"messageId":"m","role":"ROLE_USER","parts":[{"raw":"\#(text)"}]}"#).utf8)
    let expected = Self.canonical(given).map { String(decoding: $0, as: UTF8.self) }
    guard case .success(let call) = A2ACall.parse(body, version: nil) else {
      #expect(expected == nil, "\(text)")
      return
    }
    let turn = TaskView.Turn(request: body, message: call.message, dialect: .v10)
    let view = TaskView(id: "t", contextID: "c", state: .working, timestamp: "", turns: [turn])
    let shown = String(decoding: view.result(as: .v10, historyLength: nil), as: UTF8.self)
    #expect(expected.map { shown.contains("\"raw\":\"\($0)\"") } == true, "\(text)")
  }

  /// One letter after the other, straight from RFC 4648 §4 and §5; nil: it is none.
  private static func canonical(_ given: [UInt8]) -> [UInt8]? {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var letters: [UInt8] = []
    var padding = 0
    for byte in given where byte != UInt8(ascii: " ") {
      let byte = byte == UInt8(ascii: "-") ? UInt8(ascii: "+") : byte
      let letter = byte == UInt8(ascii: "_") ? UInt8(ascii: "/") : byte
      if letter == UInt8(ascii: "=") {
        padding += 1
      } else if padding == 0, alphabet.contains(letter) {
        letters.append(letter)
      } else {
        return nil
      }
    }
    guard letters.count % 4 != 1, padding <= 2 else { return nil }
    let unused = [0, 0, 4, 2][letters.count % 4]
    if let last = letters.last, let value = alphabet.firstIndex(of: last) {
      letters[letters.count - 1] = alphabet[(value >> unused) << unused]
    }
    while letters.count % 4 != 0 { letters.append(UInt8(ascii: "=")) }
    return letters
  }
}
