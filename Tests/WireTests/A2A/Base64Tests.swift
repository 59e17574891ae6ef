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
  func `what is no base64 is refused`(given: String) throws {
    let body = send10(#"{"messageId":"m","role":"ROLE_USER","parts":[{"raw":"\#(given)"}]}"#)
    #expect(try #require(refusal(body)).message.contains("base64"))
    let posted = Array(#"{"parts":[{"kind":"file","file":{"bytes":"\#(given)"}}]}"#.utf8)
    guard case .failure(let error) = AgentResult.parse(posted) else {
      Issue.record("taken: \(given)")
      return
    }
    #expect(error.description.contains("base64"))
  }
}
