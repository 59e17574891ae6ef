/// The forms of a result, told apart by the members that only one of them has.
extension AgentResult {
  /// Reads the object at `range`. Envelopes may nest: a JSON-RPC `result` that holds
  /// `{"task":…}` is two.
  mutating func read(_ range: Range<Int>, envelopes: Int) throws(AgentResultError) {
    guard body[range.lowerBound] == UInt8(ascii: "{") else {
      throw AgentResultError("the result is not an object; \(AgentResultError.forms)")
    }
    let members = JSONMembers(body.span, in: range)
    if let error = members["error"] { return readError(error) }
    if envelopes < 3, let inner = envelope(members) {
      guard inner.kind == .object else {
        throw AgentResultError("\"\(inner.name)\" must be an object; \(AgentResultError.forms)")
      }
      return try read(inner.value, envelopes: envelopes + 1)
    }
    if kind(members) == "task" || members["status"]?.kind == .object {
      return try readTask(members)
    }
    if kind(members) == "message" || members["role", "messageId", "message_id"] != nil {
      return try readMessage(range, members)
    }
    try readShort(members)
  }

  private func kind(_ members: JSONMembers) -> String? {
    members["kind"].flatMap { JSONMembers.string(body.span, at: $0.value) }
  }

  /// The member that wraps the real result; nil when these members are the result.
  private func envelope(_ members: JSONMembers) -> JSONMembers.Member? {
    if members["text", "state", "parts", "data", "kind", "status", "role"] != nil { return nil }
    return members["result"] ?? members["task"] ?? members["message"]
  }

  /// JSON-RPC 2.0 §5.1, or just a string.
  private mutating func readError(_ error: JSONMembers.Member) {
    var text = JSONMembers.text(body.span, at: error.value)
    if error.kind == .object {
      let message = JSONMembers(body.span, in: error.value)["message"]
      text = message.flatMap { JSONMembers.text(body.span, at: $0.value) }
    }
    state = .failed
    hasState = true
    status = Item(
      content: Content(text: text.map { .posted($0) } ?? .own("the agent reported an error")))
  }

  private mutating func readShort(_ members: JSONMembers) throws(AgentResultError) {
    guard members["text", "parts", "data", "state"] != nil else {
      throw AgentResultError("the result has no known member; \(AgentResultError.forms)")
    }
    try readState(members["state"], "state")
    var content = Content()
    if let text = members["text"] {
      guard let words = JSONMembers.text(body.span, at: text.value) else {
        throw AgentResultError("\"text\" must be a string")
      }
      content.text = .posted(words)
    }
    content.parts = try parts(members["parts"], "parts")
    content.data = members["data"]?.value
    guard !content.isEmpty else { return }
    guard state == .completed else {
      status = Item(content: content)
      return
    }
    // The artifact is the result (A2A 1.0 §3.7); the same text as status message serves the
    // clients that only show messages.
    artifacts = [Item(content: content)]
    status = Item(content: content.text.map { Content(text: $0) } ?? content)
  }

  private mutating func readMessage(
    _ range: Range<Int>, _ members: JSONMembers
  ) throws(AgentResultError) {
    let item = try message(range, "the message")
    // A Message may carry a state beside it; the protocol has none there.
    status = item
    if !item.content.isEmpty { artifacts = [Item(content: item.content)] }
  }

  private mutating func readTask(_ members: JSONMembers) throws(AgentResultError) {
    if let status = members["status"] {
      guard status.kind == .object else { throw AgentResultError("status must be an object") }
      let inside = JSONMembers(body.span, in: status.value)
      try readState(inside["state"], "status.state")
      if let member = inside["message"] {
        self.status = try message(member.value, "status.message")
      }
    }
    if let list = members["artifacts"] {
      guard list.kind == .array else { throw AgentResultError("artifacts must be an array") }
      let ranges = JSONMembers.elements(body.span, in: list.value)
      guard ranges.count <= partsMax else {
        throw AgentResultError("at most \(partsMax) artifacts are allowed")
      }
      for (index, range) in ranges.enumerated() {
        artifacts.append(try artifact(range, index))
      }
    }
    guard let metadata = members["metadata"] else { return }
    guard metadata.kind == .object else { throw AgentResultError("metadata must be an object") }
    self.metadata = metadata.value
  }

  private mutating func readState(
    _ member: JSONMembers.Member?, _ name: String
  ) throws(AgentResultError) {
    guard let member else { return }
    let spelled = JSONMembers.enumeration(body.span, member)
    guard let spelled, let known = A2AState(name: spelled) else {
      let shown = spelled.map { " \"\($0.prefix(40))\"" } ?? ""
      throw AgentResultError(
        "\(name)\(shown) is unknown; the states are \(AgentResultError.states)")
    }
    state = known
    hasState = true
  }
}

/// The checks of what callers will be shown: a reader's SDK must be able to parse all of it.
extension AgentResult {
  private mutating func message(
    _ range: Range<Int>, _ name: String
  ) throws(AgentResultError) -> Item {
    guard body[range.lowerBound] == UInt8(ascii: "{") else {
      throw AgentResultError("\(name) must be an object")
    }
    var scanner = JSONScanner(at: range.lowerBound)
    guard let scan = try? MessageScan(body.span, &scanner, partsMax: partsMax) else {
      throw AgentResultError("\(name) is not JSON")
    }
    if let problem = scan.problem { throw AgentResultError("\(name): \(problem)") }
    if scan.messageID.isWrong { throw AgentResultError("\(name): messageId must be a string") }
    let list = JSONMembers(body.span, in: range)["parts"]
    return Item(content: Content(parts: try parts(list, "\(name).parts")), object: range)
  }

  private mutating func artifact(
    _ range: Range<Int>, _ index: Int
  ) throws(AgentResultError) -> Item {
    let name = "artifacts[\(index)]"
    guard body[range.lowerBound] == UInt8(ascii: "{") else {
      throw AgentResultError("\(name) must be an object")
    }
    let members = JSONMembers(body.span, in: range)
    for text in ["name", "description"] {
      guard let member = members[text] else { continue }
      guard member.kind == .string else {
        throw AgentResultError("\(name).\(text) must be a string")
      }
    }
    if let metadata = members["metadata"], metadata.kind != .object {
      throw AgentResultError("\(name).metadata must be an object")
    }
    if let extensions = members["extensions"] {
      var scanner = JSONScanner(at: extensions.value.lowerBound)
      let list = try? scanner.strings(body.span)
      guard list != nil else {
        throw AgentResultError("\(name).extensions must be an array of strings")
      }
    }
    let list = try parts(members["parts"], "\(name).parts")
    return Item(content: Content(parts: list), object: range)
  }

  private mutating func parts(
    _ member: JSONMembers.Member?, _ name: String
  ) throws(AgentResultError) -> Range<Int>? {
    guard let member else { return nil }
    var scanner = JSONScanner(at: member.value.lowerBound)
    guard let scan = try? PartsScan(body.span, &scanner, countMax: partsMax),
      scan.shape == .array
    else {
      throw AgentResultError("\(name) must be an array")
    }
    if let problem = scan.problem {
      throw AgentResultError("\(name)[\(problem.index)]: \(problem.why)")
    }
    partCount += scan.count
    guard partCount <= partsMax else {
      throw AgentResultError("the result has too many parts; at most \(partsMax) are allowed")
    }
    return member.value
  }
}
