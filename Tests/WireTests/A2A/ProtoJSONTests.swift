import Testing
import Wire

/// The spellings that protobuf's JSON readers take beside the usual ones.
@Suite struct ProtoJSONTests {
  let good03 = #"{"messageId":"m","role":"user","parts":[{"kind":"text","text":"x"}]}"#
  let good10 = #"{"messageId":"m","role":"ROLE_USER","parts":[{"text":"x"}]}"#

  @Test(arguments: ["5", "\"5\"", "5.0", "0.5e1", "\"5e0\"", "null"])
  func `a count may be spelled in several ways`(count: String) throws {
    let expected = count == "null" ? nil : 5
    for name in ["historyLength", "history_length"] {
      let get = try call(
        #"{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"t","\#(name)":\#(count)}}"#)
      #expect(get.historyLength == expected)
      let send = try call(send10(good10, #","configuration":{"\#(name)":\#(count)}"#))
      #expect(send.historyLength == expected)
    }
  }

  @Test(arguments: [
    "5.5", "\"x\"", "\"\"", "\" 5\"", "\"0x5\"", "-1", "true", "[]", "2147483648", "1e300",
    "\"99999999999999999999\"", "\"inf\"", "\"nan\"",
  ])
  func `another count is refused`(count: String) throws {
    let body = send10(good10, #","configuration":{"historyLength":\#(count)}"#)
    let error = try #require(refusal(body))
    #expect(error.code == -32602 && error.message.contains("historyLength must be"))
  }

  @Test func `in 0.3 a count has no upper bound`() throws {
    let call = try call(send03(good03, #","configuration":{"historyLength":99999999999}"#))
    #expect(call.historyLength == 99_999_999_999)
  }

  @Test(arguments: [
    ("1", A2ARole.user), ("2", .agent), ("\"1\"", .user), ("2.0", .agent),
    ("\"ROLE_USER\"", .user),
  ])
  func `a role may be its number, and is shown by its name`(
    role: String, expected: A2ARole
  ) throws {
    let body = send10(#"{"messageId":"m","role":\#(role),"parts":[{"text":"x"}]}"#)
    let call = try call(body)
    #expect(call.role == expected)
    for dialect in Dialect.allCases {
      let view = TaskView(
        id: "t", contextID: "c", state: .working, timestamp: "",
        turns: [
          TaskView.Turn(
            request: Array(body.utf8), message: call.message, dialect: .v10, result: nil)
        ])
      let shown = try JSON(parsing: view.result(as: dialect, historyLength: nil))
      let message = shown["history"]?.array?.first
      #expect(message?["role"]?.string == expected.name(in: dialect))
    }
  }

  @Test func `a number is no role and no state that is not there`() throws {
    for role in ["0", "3", "-1", "1.5", "\"ROLE_UNSPECIFIED\"", "true"] {
      let body = send10(#"{"messageId":"m","role":\#(role),"parts":[{"text":"x"}]}"#)
      #expect(try #require(refusal(body)).message.contains("role must be"))
    }
    #expect(refusal(send03(#"{"messageId":"m","role":1,"parts":[{"text":"x"}]}"#)) != nil)
  }

  @Test func `an agent may name a state by its number`() throws {
    let states: [A2AState] = [
      .submitted, .working, .completed, .failed, .canceled, .inputRequired, .rejected,
      .authRequired,
    ]
    for (index, state) in states.enumerated() {
      let number = index + 1
      for spelled in ["\(number)", "\"\(number)\"", "\(number).0"] {
        let posted = try result(#"{"task":{"status":{"state":\#(spelled)}}}"#)
        #expect(posted.state == state)
      }
    }
    #expect(try result(#"{"message":{"role":2,"parts":[{"text":"x"}]}}"#).text == "x")
  }

  @Test func `names in snake case are read, and null is absent`() throws {
    let call = try call(
      send10(
        #"{"message_id":"m","context_id":"c","task_id":null,"role":"ROLE_USER","#
          + #""reference_task_ids":["r"],"parts":[{"text":"x","media_type":"a/b","url":null}]}"#
      ))
    #expect(call.messageID == "m" && call.contextID == "c" && call.taskID == nil)
    #expect(call.referenceTaskIDs == ["r"] && call.isBlocking)
    let posted = try result(
      #"{"task":{"context_id":"c","status":{"state":3,"message":null},"metadata":null,"#
        + #""artifacts":[{"artifact_id":"a","name":null,"extensions":null,"#
        + #""parts":[{"raw":"aGk","media_type":"a/b","text":null}]}]}}"#)
    #expect(posted.artifactCount == 1 && posted.state == .completed)
  }
}
