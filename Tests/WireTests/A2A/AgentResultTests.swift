import Testing
import Wire

func result(_ text: String) throws -> AgentResult {
  try AgentResult.parse(Array(text.utf8)).get()
}

@Suite struct AgentResultTests {
  @Test(
    arguments: [
      (#"{"text":"hi"}"#, .completed, "hi", "hi", 1),
      (#"{"text":"hi","state":"completed"}"#, .completed, "hi", "hi", 1),
      (#"{"text":"When?","state":"input-required"}"#, .inputRequired, "When?", "When?", 0),
      (#"{"text":"no","state":"TASK_STATE_REJECTED"}"#, .rejected, "no", "no", 0),
      (#"{"text":"…","state":"working"}"#, .working, "…", "…", 0),
      (#"{"state":"submitted"}"#, .submitted, nil, "", 0),
      (#"{"state":"completed","text":null}"#, .completed, nil, "", 0),
      (#"{"data":[1]}"#, .completed, nil, "", 1),
      (#"{"parts":[{"text":"a"},{"kind":"text","text":"b"}]}"#, .completed, "a\nb", "a\nb", 1),
      (#"{"text":"x","parts":[{"text":"y"}]}"#, .completed, "x", "x\ny", 1),
      (#"{"error":{"code":-1,"message":"boom"}}"#, .failed, "boom", "boom", 0),
      (
        #"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"boom"}}"#, .failed, "boom", "boom",
        0
      ),
      (#"{"error":"boom"}"#, .failed, "boom", "boom", 0),
      (#"{"result":{"text":"hi"},"error":null}"#, .completed, "hi", "hi", 1),
      (
        #"{"jsonrpc":"2.0","id":1,"result":{"kind":"message","role":"agent","messageId":"m","#
          + #""parts":[{"kind":"text","text":"hi"}]}}"#, .completed, "hi", "hi", 1
      ),
      (
        #"{"message":{"role":"ROLE_AGENT","messageId":"m","parts":[{"text":"hi"}]}}"#, .completed,
        "hi", "hi", 1
      ),
      (#"{"role":"agent","parts":[{"text":"hi"}]}"#, .completed, "hi", "hi", 1),
      (
        #"{"jsonrpc":"2.0","id":1,"result":{"task":{"id":"x","#
          + #""status":{"state":"TASK_STATE_FAILED","#
          + #""message":{"messageId":"m","role":"ROLE_AGENT","parts":[{"text":"bad"}]}}}}}"#,
        .failed, "bad", "bad", 0
      ),
      (
        #"{"kind":"task","id":"x","status":{"state":"completed"},"artifacts":["#
          + #"{"parts":[{"text":"1"}]},"#
          + #"{"parts":[{"text":"2"}]}]}"#, .completed, nil, "1\n2", 2
      ),
      (#"{"kind":"task","id":"x"}"#, .completed, nil, "", 0),
    ] as [(String, A2AState, String?, String, Int)])
  func `every form is understood`(
    body: String, state: A2AState, status: String?, text: String, artifacts: Int
  ) throws {
    let result = try result(body)
    #expect(result.state == state && result.statusText == status)
    #expect(result.text == text && result.artifactCount == artifacts)
  }

  @Test(arguments: [
    ("", "not JSON"), ("{", "not JSON"), ("[]", "not an object"), (#""hi""#, "not an object"),
    ("{}", "no known member"), (#"{"x":1}"#, "no known member"),
    (#"{"result":"hi"}"#, "\"result\""),
    (#"{"result":null}"#, "no known member"), (#"{"text":5}"#, "\"text\" must be"),
    (#"{"text":"a","state":"done"}"#, #"state "done" is unknown; the states are submitted, w"#),
    (#"{"text":"a","state":9}"#, "state \"9\" is unknown"),
    (#"{"status":{"state":"unknown"}}"#, "status.state \"unknown\" is unknown"),
    (#"{"parts":{}}"#, "parts must be an array"), (#"{"parts":[{}]}"#, "parts[0]: exactly one"),
    (#"{"parts":[{"kind":"text"}]}"#, "parts[0]: text must be"),
    (#"{"role":"agent","parts":[{"text":"a"}],"metadata":1}"#, "metadata must be an object"),
    (#"{"kind":"task","artifacts":{}}"#, "artifacts must be"),
    (#"{"kind":"task","artifacts":[1]}"#, "artifacts[0] must be an object"),
    (#"{"kind":"task","artifacts":[{"name":1}]}"#, "artifacts[0].name must be a string"),
    (#"{"kind":"task","artifacts":[{"parts":[{"text":1}]}]}"#, "artifacts[0].parts[0]: text"),
    (#"{"kind":"task","artifacts":[{"extensions":[1]}]}"#, "artifacts[0].extensions"),
    (#"{"kind":"task","metadata":[]}"#, "metadata must be"),
    (#"{"kind":"task","status":{"message":"x"}}"#, "status.message must be"),
  ]) func `another form is refused with what is allowed`(body: String, part: String) {
    guard case .failure(let error) = AgentResult.parse(Array(body.utf8)) else {
      Issue.record("taken: \(body)")
      return
    }
    #expect(error.description.contains(part), "\(error)")
  }

  @Test func `states have both spellings, and a result may have all but two`() {
    for state in A2AState.allCases {
      for dialect in Dialect.allCases {
        #expect(A2AState(name: state.name(in: dialect)) == state)
      }
    }
    #expect(A2AState(name: "unknown") == nil && A2AState(name: "") == nil)
    #expect(A2AState.allCases.filter { !$0.isOfResult } == [.submitted, .working])
  }
}
