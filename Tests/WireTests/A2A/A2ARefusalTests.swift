import Testing
import Wire

@Suite struct A2ARefusalTests {
  @Test(arguments: [
    ("", -32700, "ends"), ("{", -32700, "byte 1"), ("\u{FEFF}{}", -32700, "byte order mark"),
    ("[]", -32600, "batches"), ("[{}]", -32600, "batches"), ("1", -32600, "object"),
    ("null", -32600, "object"), ("{}", -32600, "jsonrpc"),
    (#"{"jsonrpc":2.0,"method":"tasks/get"}"#, -32600, "jsonrpc"),
    (#"{"jsonrpc":"1.0","method":"tasks/get"}"#, -32600, "jsonrpc"),
    (#"{"jsonrpc":"2.0"}"#, -32600, "method"),
    (#"{"jsonrpc":"2.0","method":5}"#, -32600, "method"),
    (#"{"jsonrpc":"2.0","method":"tasks/get","id":{}}"#, -32600, "id must be"),
    (#"{"jsonrpc":"2.0","method":"tasks/get","id":[1]}"#, -32600, "id must be"),
    (#"{"jsonrpc":"2.0","method":"tasks/get","id":true}"#, -32600, "id must be"),
    (#"{"jsonrpc":"2.0","method":"tasks/nope","id":1}"#, -32601, "tasks/nope"),
    (#"{"jsonrpc":"2.0","method":"","id":1}"#, -32601, "Method not found"),
    (#"{"jsonrpc":"2.0","method":"tasks/list","id":1}"#, -32601, "tasks/list"),
    (#"{"jsonrpc":"2.0","method":"tasks/get","id":1}"#, -32602, "params.id is missing"),
    (#"{"jsonrpc":"2.0","method":"GetTask","id":1,"params":[]}"#, -32602, "params must be"),
    (#"{"jsonrpc":"2.0","method":"GetTask","id":1,"params":{"id":""}}"#, -32602, "not be empty"),
    (#"{"jsonrpc":"2.0","method":"CancelTask","id":1,"params":{"id":7}}"#, -32602, "a string"),
    (
      #"{"jsonrpc":"2.0","method":"GetTask","id":1,"params":{"id":"t","historyLength":-1}}"#,
      -32602, "params.historyLength"
    ),
    (
      #"{"jsonrpc":"2.0","method":"GetTask","id":1,"params":{"id":"t","historyLength":1.5}}"#,
      -32602, "params.historyLength"
    ),
    (#"{"jsonrpc":"2.0","method":"message/send","id":1}"#, -32602, "params is missing"),
    (#"{"jsonrpc":"2.0","method":"SendMessage","id":1,"params":{}}"#, -32602, "message is missing"),
    (send03("5"), -32602, "params.message must be an object"),
    (send03("{}"), -32602, "params.message.messageId is missing"),
    (send03(#"{"messageId":""}"#), -32602, "params.message.messageId must not be empty"),
    (send03(#"{"messageId":1}"#), -32602, "params.message.messageId must be a string"),
    (send03(#"{"messageId":"m"}"#), -32602, "params.message.role is missing"),
    (send03(#"{"messageId":"m","role":"ROLE_USER"}"#), -32602, #"role must be "user" or "agent""#),
    (send10(#"{"messageId":"m","role":"user"}"#), -32602, #"role must be "ROLE_USER""#),
    (send10(#"{"messageId":"m","role":3}"#), -32602, "role must be"),
  ]) func `a body that is no call is refused with its reason`(
    body: String, code: Int, part: String
  ) throws {
    let error = try #require(refusal(body))
    #expect(error.code == code)
    #expect(error.message.contains(part), "\(error.message)")
  }

  @Test(arguments: [
    ("", "parts is missing"), (#","parts":{}"#, "parts must be an array"),
    (#","parts":[]"#, "parts must not be empty"), (#","parts":[1]"#, "parts[0]: must be an object"),
    (#","parts":[{"kind":"text","text":"a"},{"kind":"text"}]"#, "parts[1]: text must be"),
    (#","parts":[{}]"#, "parts[0]: kind"), (#","parts":[{"kind":"x"}]"#, "parts[0]: kind"),
    (#","parts":[{"kind":"file"}]"#, "file is missing"),
    (#","parts":[{"kind":"file","file":{}}]"#, "exactly one of bytes and uri"),
    (#","parts":[{"kind":"file","file":{"bytes":"a*=="}}]"#, "base64"),
    (#","parts":[{"kind":"file","file":7}]"#, "file must be an object"),
    (#","parts":[{"kind":"data","data":[]}]"#, "data must be an object"),
    (#","parts":[{"kind":"text","text":"a","metadata":1}]"#, "metadata must be an object"),
    (#","parts":[{"text":"a"}],"taskId":5"#, "params.message.taskId must be a string"),
    (#","parts":[{"text":"a"}],"contextId":{}"#, "params.message.contextId must be a string"),
    (#","parts":[{"text":"a"}],"metadata":[]"#, "params.message.metadata must be an object"),
    (#","parts":[{"text":"a"}],"extensions":[1]"#, "params.message.extensions must be"),
    (#","parts":[{"text":"a"}],"referenceTaskIds":"r""#, "params.message.referenceTaskIds must"),
    (
      #","parts":[{"text":"a"}],"taskId":"\#(String(repeating: "x", count: 257))""#,
      "taskId is longer than 256 bytes"
    ),
  ]) func `a 0.3 message names the member that is wrong`(rest: String, part: String) throws {
    let error = try #require(refusal(send03(#"{"messageId":"m","role":"user"\#(rest)}"#)))
    #expect(error.code == -32602 && error.dialect == .v03)
    #expect(error.message.contains(part), "\(error.message)")
  }

  @Test(arguments: [
    ("{}", "exactly one"), (#"{"text":"a","url":"b"}"#, "exactly one"),
    (#"{"text":null}"#, "exactly one"), (#"{"text":1}"#, "text must be a string"),
    (#"{"raw":"abcde"}"#, "raw must be a base64 string"), (#"{"url":[]}"#, "url must be"),
    (#"{"kind":"file","file":{"uri":"u"}}"#, "exactly one"),
    (#"{"text":"a","filename":1}"#, "filename must be"),
    (#"{"text":"a","media_type":1}"#, "media_type must be"),
  ]) func `a 1.0 part holds exactly one content`(part: String, why: String) throws {
    let error = try #require(
      refusal(send10(#"{"messageId":"m","role":"ROLE_USER","parts":[\#(part)]}"#)))
    #expect(error.code == -32602 && error.dialect == .v10)
    #expect(error.message.contains("parts[0]: ") && error.message.contains(why))
  }

  @Test func `a configuration of wrong types is refused`() {
    let m03 = #"{"messageId":"m","role":"user","parts":[{"kind":"text","text":"x"}]}"#
    let m10 = #"{"messageId":"m","role":"ROLE_USER","parts":[{"text":"x"}]}"#
    for (body, part) in [
      (send03(m03, #","configuration":1"#), "params.configuration"),
      (send03(m03, #","configuration":{"blocking":1}"#), "blocking"),
      (send10(m10, #","configuration":{"returnImmediately":"x"}"#), "returnImmediately"),
      (send10(m10, #","configuration":{"historyLength":-2}"#), "historyLength"),
      (send10(m10, #","metadata":"x""#), "params.metadata"),
    ] {
      #expect(refusal(body)?.message.contains(part) == true)
    }
  }

  @Test func `the version decides only what the method does not`() throws {
    let get = #"{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"id":"t"}}"#
    #expect(try call(get, version: "1.0").dialect == .v03)
    for good in ["", "0.3", "0.3.0", "1.0", "1.0.1"] { _ = try call(get, version: good) }
    for bad in ["2.0", "1.1", "0.2.6", "x", "1"] {
      let error = try #require(refusal(get, version: bad))
      #expect(error.code == -32009 && error.dialect == .v10 && error.id == [0x31])
      #expect(error.reason == "VERSION_NOT_SUPPORTED" && error.domain == "a2a-protocol.org")
    }
    let unknown = #"{"jsonrpc":"2.0","id":1,"method":"x","params":{"id":"t"}}"#
    #expect(refusal(unknown)?.dialect == .v03 && refusal(unknown, version: "1.0")?.dialect == .v10)
  }

  @Test func `errors have only code, message and data, and a reason each`() throws {
    let errors: [A2AError] = [
      .parseError("x"), .invalidRequest("x"), .methodNotFound("x"), .invalidParams("x"),
      .internalError("x"), .taskNotFound("t"), .taskNotCancelable(.completed),
      .pushNotificationNotSupported(), .unsupportedOperation("x"), .contentTypeNotSupported("x"),
      .invalidAgentResponse("x"), .extendedCardNotConfigured(), .extensionSupportRequired("u"),
      .versionNotSupported("9"),
    ]
    #expect(Set(errors.map(\.code)).count == errors.count)
    #expect(Set(errors.map(\.reason)).count == errors.count)
    for error in errors {
      let body = try JSON(parsing: JSONRPC.error(error))
      #expect(body["error"]?.object?.map(\.key) == ["code", "message", "data"])
      #expect(body["error"]?["code"]?.int == error.code && body["id"] == .some(.null))
      let info = body["error"]?["data"]?.array?.first
      #expect(info?["@type"]?.string == "type.googleapis.com/google.rpc.ErrorInfo")
      #expect(info?["reason"]?.string == error.reason)
    }
  }

  @Test func `a relay's refusal says whether it was delivered and when to retry`() throws {
    let error = A2AError.relay(
      "AGENT_OFFLINE", "agent offline", delivered: .no, retryAfterSeconds: 30)
    let data = try JSON(parsing: JSONRPC.error(error))["error"]?["data"]
    #expect(
      data == [
        [
          "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "AGENT_OFFLINE",
          "domain": "relay.a2a", "metadata": ["delivered": "no", "retryAfterSeconds": "30"],
        ],
        ["@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "30s"],
      ])
  }

  @Test func `a result is wrapped byte for byte`() {
    let body = JSONRPC.result(id: Array("1.0".utf8)) { $0.raw(Array(#"{"a" : 1.50}"#.utf8)) }
    #expect(
      String(decoding: body, as: UTF8.self) == #"{"jsonrpc":"2.0","id":1.0,"result":{"a" : 1.50}}"#)
  }
}
