import Testing
import Wire

/// The call that the body holds; a refusal fails the test.
func call(_ text: String, version: String? = nil) throws -> A2ACall {
  try A2ACall.parse(Array(text.utf8), version: version).get()
}

func refusal(_ text: String, version: String? = nil) -> A2AError? {
  if case .failure(let error) = A2ACall.parse(Array(text.utf8), version: version) { return error }
  return nil
}

func send03(_ message: String, _ rest: String = "") -> String {
  #"{"jsonrpc":"2.0","id":1,"method":"message/send","params":{"message":\#(message)\#(rest)}}"#
}

func send10(_ message: String, _ rest: String = "") -> String {
  #"{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":\#(message)\#(rest)}}"#
}

@Suite struct A2ACallTests {
  @Test func `a 0.3 send is read in one go`() throws {
    let message = """
      {"kind":"message","messageId":"m1","role":"user","contextId":"c1","taskId":"t1",
      "parts":[{"kind":"text","text":"a"},{"kind":"data","data":{}},{"kind":"text","text":"b"}],
      "referenceTaskIds":["r1","r2"]}
      """
    let body = send03(message, #","configuration":{"blocking":false,"historyLength":3}"#)
    let call = try call(body)
    #expect(call.method == .send && call.dialect == .v03 && call.methodName == "message/send")
    #expect(call.messageID == "m1" && call.taskID == "t1" && call.contextID == "c1")
    #expect(
      call.role == .user && call.text(in: Array(body.utf8)) == "a\nb"
        && call.referenceTaskIDs == ["r1", "r2"])
    #expect(!call.isBlocking && call.historyLength == 3 && !call.hasPushConfig)
    #expect(!call.isNotification && call.id == [0x31])
    #expect(String(decoding: Array(body.utf8)[call.message], as: UTF8.self) == message)
    #expect(Array(body.utf8)[call.params].last == UInt8(ascii: "}"))
  }

  @Test func `a 1.0 send may use the names of the proto`() throws {
    let message = """
      {"message_id":"m","role":"ROLE_AGENT","task_id":"t","context_id":"c","parts":[{"url":"u"}],
      "reference_task_ids":["r"]}
      """
    let configuration = """
      ,"configuration":{"return_immediately":true,"history_length":0,
      "task_push_notification_config":{"url":"u"}}
      """
    let call = try call(send10(message, configuration))
    #expect(call.dialect == .v10 && call.messageID == "m" && call.taskID == "t")
    #expect(call.contextID == "c" && call.role == .agent && call.referenceTaskIDs == ["r"])
    #expect(!call.isBlocking && call.historyLength == 0 && call.hasPushConfig)
  }

  @Test func `waiting is the default in both dialects`() throws {
    #expect(try call(send03(good03)).isBlocking && call(send10(good10)).isBlocking)
    #expect(try call(send03(good03, #","configuration":{"blocking":null}"#)).isBlocking)
    #expect(try call(send10(good10, #","configuration":{"blocking":false}"#)).isBlocking)
  }

  let good03 = #"{"messageId":"m","role":"user","parts":[{"kind":"text","text":"x"}]}"#
  let good10 = #"{"messageId":"m","role":"ROLE_USER","parts":[{"text":"x"}]}"#

  @Test(arguments: ["1", "-1.5e3", "123456789012345678901234567890", #""a""#, #""ü\n""#, "null"])
  func `an id is echoed as it is spelled`(id: String) throws {
    let body = #"{"jsonrpc":"2.0","method":"tasks/get","id":\#(id),"params":{"id":"t"}}"#
    let call = try call(body)
    #expect(String(decoding: call.id, as: UTF8.self) == id && !call.isNotification)
    let error = JSONRPC.error(A2AError.taskNotFound("t").answering(call))
    #expect(String(decoding: error, as: UTF8.self).hasPrefix(#"{"jsonrpc":"2.0","id":\#(id),"#))
    let refused = refusal(#"{"jsonrpc":"2.0","id":\#(id),"method":"tasks/get","params":{}}"#)
    #expect(refused.map { String(decoding: $0.id, as: UTF8.self) } == id)
  }

  @Test func `no id is a notification`() throws {
    let call = try call(#"{"jsonrpc":"2.0","method":"tasks/get","params":{"id":"t"}}"#)
    #expect(call.isNotification && call.id == Array("null".utf8))
  }

  @Test func `every method has its name in its dialects`() throws {
    for method in A2AMethod.allCases where method != .unknown {
      for dialect in Dialect.allCases {
        guard let name = method.name(in: dialect) else { continue }
        #expect(A2AMethod.named(name)?.method == method)
        #expect(A2AMethod.named(name)?.dialect == dialect)
        guard !method.isSend else { continue }
        let call = try call(
          #"{"jsonrpc":"2.0","id":1,"method":"\#(name)","params":{"id":"t","taskId":"u"}}"#)
        #expect(call.method == method && call.dialect == dialect && call.message.isEmpty)
      }
    }
    #expect(A2AMethod.list.name(in: .v03) == nil)
  }

  @Test func `the task of a call is where its operation has it`() throws {
    func task(_ method: String) throws -> String? {
      try call(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":{"id":"t","task_id":"u"}}"#)
        .taskID
    }
    #expect(try task("CancelTask") == "t" && task("tasks/resubscribe") == "t")
    #expect(try task("GetTaskPushNotificationConfig") == "u")
    #expect(try task("ListTasks") == nil)
  }

  @Test func `members may come in any order, their names with escapes`() throws {
    let call = try call(
      #"{"params":{"id":"t","historyLength":2},"id":9,"m\u0065thod":"GetTask","jsonrpc":"2.0"}"#)
    #expect(call.method == .get && call.taskID == "t" && call.historyLength == 2)
  }

  @Test func `parts of older 0.3 clients are taken`() throws {
    let parts = #"[{"type":"text","text":"a"},{"text":"b"},{"kind":"file","file":{"uri":"u"}}]"#
    let body = send03(#"{"messageId":"m","role":"user","parts":\#(parts)}"#)
    #expect(try call(body).text(in: Array(body.utf8)) == "a\nb")
  }

  @Test func `empty ids of proto writers are absent`() throws {
    let call = try call(
      send10(
        #"{"messageId":"m","role":"ROLE_USER","taskId":"","contextId":null,"#
          + #""parts":[{"data":null}]}"#
      ))
    #expect(call.taskID == nil && call.contextID == nil)
  }

  @Test func `peeking takes what only the agent can judge`() throws {
    let text = #"{"jsonrpc":"2.0","id":1,"method":"x/y","params":[1]}"#
    let call = try A2ACall.peek(Array(text.utf8), version: "9").get()
    #expect(call.method == .unknown && call.methodName == "x/y" && call.params.isEmpty)
    let bad = send03(#"{"messageId":5,"parts":"no"}"#)
    #expect(try A2ACall.peek(Array(bad.utf8), version: nil).get().method == .send)
    guard case .failure(let error) = A2ACall.peek([0x5B], version: nil) else {
      Issue.record("taken")
      return
    }
    #expect(error.code == -32700)
  }
}
