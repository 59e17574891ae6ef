/// libFuzzer's way in. It is compiled together with the sources of Wire, so it imports nothing.
///
/// A crash is a finding, and so is a text that the scanner takes and the tree writer cannot give
/// back, or a call whose ranges lie outside its body.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let body = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  let isJSON = (try? JSONScanner.validate(body.span)) != nil
  let tree = try? JSON(parsing: body)
  precondition(isJSON == (tree != nil), "scanner and tree disagree")
  if let tree {
    guard let again = try? JSON(parsing: tree.bytes) else { fatalError("written JSON is not JSON") }
    precondition(again == tree, "a round trip changed the value")
  }
  for version in [nil, "1.0"] {
    guard case .success(let call) = A2ACall.parse(body, version: version) else { continue }
    precondition(call.params.upperBound <= body.count && call.message.upperBound <= body.count)
    let turn = TaskView.Turn(request: body, message: call.message, dialect: call.dialect)
    check(TaskView(id: "t", contextID: "c", state: .working, timestamp: "", turns: [turn]))
  }
  if case .success(let result) = AgentResult.parse(body) {
    let turn = TaskView.Turn(request: [], message: 0..<0, dialect: .v03, result: body)
    check(TaskView(id: "t", contextID: "c", state: result.state, timestamp: "", turns: [turn]))
  }
  if tree != nil {
    let card = AgentCard.synthesize(
      registered: body, workspaceName: "w", base: "http://h/w/1/", relayKeyScheme: true,
      relayVersion: "1")
    precondition((try? JSON(parsing: card)) != nil, "a card is not JSON")
  }
  return 0
}

private func check(_ view: TaskView) {
  for dialect in Dialect.allCases {
    let task = view.sendResult(as: dialect, historyLength: nil)
    precondition((try? JSONScanner.validate(task.span)) != nil, "a task is not JSON")
  }
}
