import Testing
import Wire

@Suite struct TaskViewTests {
  let body03 = send03(
    #"{"kind":"message", "messageId":"m1","role":"user","n":1.50,"#
      + #""parts":[{"kind":"text","text":"hi"},{"kind":"file","file":{"bytes":"aGk=","name":"f","#
      + #""mimeType":"a/b"}},{"kind":"file","file":{"uri":"u"},"metadata":{"k":1}},"#
      + #"{"kind":"data","data":{"x":1}}] }"#)
  let body10 = send10(
    #"{"messageId":"m2","role":"ROLE_USER","contextId":"c","taskId":"t","#
      + #""parts":[{"text":"hi"},{"raw":"aGk=","filename":"f","mediaType":"a/b"},"#
      + #"{"url":"u","metadata":{"k":1}},{"data":[1],"metadata":{"q":2},"own":true}]}"#)

  func turn(_ body: String, _ result: String? = nil) throws -> TaskView.Turn {
    let call = try call(body)
    return TaskView.Turn(
      request: Array(body.utf8), message: call.message, dialect: call.dialect,
      result: result.map { Array($0.utf8) })
  }

  func view(_ state: A2AState, _ turns: [TaskView.Turn]) -> TaskView {
    TaskView(
      id: "t", contextID: "c", state: state, timestamp: "2025-01-02T03:04:05.678Z", turns: turns)
  }

  func render(_ view: TaskView, _ dialect: Dialect, _ history: Int? = nil) throws -> JSON {
    try JSON(parsing: view.result(as: dialect, historyLength: history))
  }

  @Test func `a completed task has the text as artifact and as status message`() throws {
    let view = view(.completed, [try turn(body03, #"{"text":"done"}"#)])
    for dialect in Dialect.allCases {
      let task = try render(view, dialect)
      let parts: JSON = dialect == .v03 ? [["kind": "text", "text": "done"]] : [["text": "done"]]
      #expect(task["kind"]?.string == (dialect == .v03 ? "task" : nil))
      #expect(task["id"] == "t" && task["contextId"] == "c")
      #expect(task["status"]?["state"]?.string == A2AState.completed.name(in: dialect))
      #expect(task["status"]?["timestamp"] == "2025-01-02T03:04:05.678Z")
      let message = task["status"]?["message"]
      #expect(message?["messageId"] == "t-status-1" && message?["parts"] == parts)
      #expect(message?["role"]?.string == A2ARole.agent.name(in: dialect))
      #expect(message?["taskId"] == "t" && message?["contextId"] == "c")
      #expect(task["artifacts"] == [["artifactId": "t-artifact-1-1", "parts": parts]])
      #expect(task["history"]?.array?.count == 2 && task["history"]?.array?.last == message)
    }
  }

  @Test func `a message of the same dialect keeps its bytes`() throws {
    let shown = String(
      decoding: view(.working, [try turn(body03)]).result(as: .v03, historyLength: nil),
      as: UTF8.self)
    #expect(
      shown.contains(#""history":[{"kind":"message", "messageId":"m1","role":"user","n":1.50"#))
    #expect(shown.contains(#"{"x":1}}],"contextId":"c","taskId":"t"}]"#))
    let whole = view(.working, [try turn(body10)]).result(as: .v10, historyLength: nil)
    let call = try call(body10)
    let message = String(decoding: Array(body10.utf8)[call.message], as: UTF8.self)
    #expect(String(decoding: whole, as: UTF8.self).contains(#""history":[\#(message)]"#))
  }

  @Test func `a 0.3 message is shown to a 1.0 reader`() throws {
    let message = try render(view(.working, [try turn(body03)]), .v10)["history"]?.array?.first
    #expect(
      message == [
        "messageId": "m1", "role": "ROLE_USER", "n": .number("1.50"),
        "parts": [
          ["text": "hi"], ["raw": "aGk=", "filename": "f", "mediaType": "a/b"],
          ["url": "u", "metadata": ["k": 1]], ["data": ["x": 1]],
        ], "contextId": "c", "taskId": "t",
      ])
  }

  @Test func `a 1.0 message is shown to a 0.3 reader`() throws {
    let message = try render(view(.working, [try turn(body10)]), .v03)["history"]?.array?.first
    #expect(
      message == [
        "kind": "message", "messageId": "m2", "role": "user", "contextId": "c", "taskId": "t",
        "parts": [
          ["kind": "text", "text": "hi"],
          ["kind": "file", "file": ["bytes": "aGk=", "name": "f", "mimeType": "a/b"]],
          ["kind": "file", "file": ["uri": "u"], "metadata": ["k": 1]],
          [
            "kind": "data", "data": ["value": [1]],
            "metadata": ["q": 2, "data_part_compat": true], "own": true,
          ],
        ],
      ])
  }

  @Test func `what an old client left out is added, and proto names are respelled`() throws {
    let old = send03(
      #"{"messageId":"m","role":"user","taskId":null,"parts":[{"type":"text","text":"a"}]}"#)
    #expect(
      try render(view(.working, [try turn(old)]), .v03)["history"] == [
        [
          "kind": "message", "messageId": "m", "role": "user",
          "parts": [["kind": "text", "text": "a"]], "contextId": "c", "taskId": "t",
        ]
      ])
    let snake = send10(
      #"{"message_id":"m","role":"ROLE_USER","context_id":"c","#
        + #""parts":[{"url":"u","media_type":"x"}]}"#
    )
    #expect(
      try render(view(.working, [try turn(snake)]), .v10)["history"] == [
        [
          "messageId": "m", "role": "ROLE_USER", "contextId": "c",
          "parts": [["url": "u", "mediaType": "x"]], "taskId": "t",
        ]
      ])
  }

  @Test func `what does not belong to a part's kind does not replace its content`() throws {
    let mixed = send03(
      #"{"kind":"odd","messageId":"m","role":"user","parts":["#
        + #"{"kind":"text","text":"a","url":"u"},{"kind":"data","data":{},"text":"b"}]}"#)
    let in10 = try render(view(.working, [try turn(mixed)]), .v10)["history"]?.array?.first
    #expect(in10?["parts"] == [["text": "a"], ["data": [:]]])
    let in03 = try render(view(.working, [try turn(mixed)]), .v03)["history"]?.array?.first
    #expect(in03?["kind"] == "message")
    let stray = send10(
      #"{"messageId":"m","role":"ROLE_USER","parts":[{"text":"a","file":{"uri":"u"}}]}"#)
    let shown = try render(view(.working, [try turn(stray)]), .v03)["history"]?.array?.first
    #expect(shown?["parts"] == [["kind": "text", "text": "a"]])
  }

  @Test func `a posted task keeps its content under the relay's ids`() throws {
    let posted = """
      {"kind":"task","id":"own","contextId":"own","metadata":{"k":1},"status":{"state":"completed",
      "message":{"kind":"message","messageId":"x9","role":"user","taskId":"own","z":[1],
      "parts":[{"kind":"text","text":"ok"}]}},
      "artifacts":[{"artifactId":"own","name":"n","parts":[{"kind":"data","data":{}}],"y":2}]}
      """
    let task = try render(view(.completed, [try turn(body03, posted)]), .v10)
    #expect(task["metadata"] == ["k": 1])
    #expect(
      task["artifacts"] == [
        ["artifactId": "t-artifact-1-1", "name": "n", "y": 2, "parts": [["data": [:]]]]
      ])
    #expect(
      task["status"]?["message"] == [
        "messageId": "x9", "role": "ROLE_AGENT", "z": [1], "parts": [["text": "ok"]],
        "contextId": "c", "taskId": "t",
      ])
  }

  @Test func `history is in order, ends at the last, and can be cut or left out`() throws {
    let first = try turn(body03, #"{"text":"When?","state":"input-required"}"#)
    let second = try turn(body10, #"{"text":"done"}"#)
    let view = view(.completed, [first, second])
    func ids(_ length: Int?) throws -> [String?]? {
      try render(view, .v10, length)["history"]?.array?.map { $0["messageId"]?.string }
    }
    #expect(try ids(nil) == ["m1", "t-status-1", "m2", "t-status-2"])
    #expect(try ids(2) == ["m2", "t-status-2"])
    #expect(try ids(0) == nil && ids(-1) == nil)
    #expect(try ids(1_000_000)?.count == 4)
    #expect(try render(view, .v10)["artifacts"]?.array?.first?["artifactId"] == "t-artifact-2-1")
    let long = TaskView(
      id: "t", contextID: "c", state: .working, timestamp: "",
      turns: Array(repeating: try turn(body10), count: 150))
    #expect(try render(long, .v03)["history"]?.array?.count == TaskView.historyMax)
  }

  @Test func `a large answer is not repeated in the history, and the history has a bound`() throws {
    let ids = { (view: TaskView) in
      try render(view, .v10)["history"]?.array?.map { $0["messageId"]?.string }
    }
    let result = { (bytes: Int, state: String) in
      "{\"text\":\"\(String(repeating: "x", count: bytes))\",\"state\":\"\(state)\"}"
    }
    let large = try turn(body10, result(1024 * 1024 + 1, "completed"))
    let answer = try render(view(.completed, [large]), .v10)
    #expect(answer["history"]?.array?.count == 1)
    #expect(answer["status"]?["message"]?["messageId"] == "t-status-1")
    #expect(answer["artifacts"]?.array?.count == 1)
    let edge = try turn(body10, result(1024 * 1024, "completed"))
    #expect(try ids(view(.completed, [edge])) == ["m2", "t-status-1"])
    // What the status does not show stays in the history, up to a bound.
    #expect(try ids(view(.working, [large])) == ["m2", "t-status-1"])
    let asked = try turn(body03, result(9 * 1024 * 1024, "input-required"))
    #expect(
      try ids(view(.working, [asked, asked, try turn(body10)])) == ["m1", "t-status-2", "m2"])
  }

  @Test func `turns that are left out still count in the ids`() throws {
    var view = view(.completed, [try turn(body10, #"{"text":"done"}"#)])
    view.omittedTurns = 4
    let task = try render(view, .v10)
    #expect(task["status"]?["message"]?["messageId"] == "t-status-5")
    #expect(task["artifacts"]?.array?.first?["artifactId"] == "t-artifact-5-1")
    view.statusText = "expired"
    #expect(try render(view, .v10)["status"]?["message"]?["messageId"] == "t-status-6")
  }

  @Test func `the status message belongs to the state`() throws {
    let asked = try turn(body03, #"{"text":"When?","state":"input-required"}"#)
    #expect(try render(view(.inputRequired, [asked]), .v03)["status"]?["message"] != nil)
    #expect(try render(view(.canceled, [asked]), .v03)["status"]?["message"] == nil)
    #expect(
      try render(view(.working, [asked, try turn(body03)]), .v03)["status"]?["message"] == nil)
    var expired = view(.failed, [asked])
    expired.statusText = "expired"
    let message = try render(expired, .v10)["status"]?["message"]
    #expect(message?["parts"] == [["text": "expired"]] && message?["messageId"] == "t-status-2")
    #expect(try render(expired, .v10)["history"]?.array?.count == 2)
  }

  @Test func `a reply id that was given is used`() throws {
    var turn = try turn(body03, #"{"text":"x"}"#)
    turn.replyID = "reply"
    let task = try render(view(.completed, [turn]), .v10)
    #expect(task["status"]?["message"]?["messageId"] == "reply")
  }

  @Test func `a send is answered in the dialect's frame`() throws {
    var view = view(.completed, [try turn(body03, #"{"text":"x"}"#)])
    let in10 = try JSON(parsing: view.sendResult(as: .v10, historyLength: 0))
    #expect(in10.object?.map(\.key) == ["task"])
    let in03 = try JSON(parsing: view.sendResult(as: .v03, historyLength: 0))
    #expect(in03["kind"] == "task" && in03["parts"] == nil)
    view.hasTopLevelParts = true
    #expect(try render(view, .v03)["parts"] == [["kind": "text", "text": "x"]])
  }
}
