/// Writes messages in a dialect, with the ids of the relay's task.
struct MessageWriter {
  let dialect: Dialect
  let taskID: String
  let contextID: String

  /// A caller's message. Its bytes are spliced when they fit: only missing ids are added behind.
  func writeUser(
    _ body: [UInt8], _ range: Range<Int>, from: Dialect, into writer: inout JSONWriter
  ) {
    var scanner = JSONScanner(at: range.lowerBound)
    guard from == dialect, let scan = try? MessageScan(body.span, &scanner),
      scan.isNative(to: dialect, body.span), isAddable(scan.taskID), isAddable(scan.contextID)
    else {
      rewrite(body, range, agentMessageID: nil, into: &writer)
      return
    }
    let lacksTask = scan.taskID.text == nil
    let lacksContext = scan.contextID.text == nil
    guard lacksTask || lacksContext else {
      writer.raw(body[range])
      return
    }
    var end = range.upperBound - 1
    while end > range.lowerBound, body[end - 1] <= 0x20 { end -= 1 }
    writer.rawOpen(body[range.lowerBound..<end], isEmpty: false)
    writeIDs(task: lacksTask, context: lacksContext, &writer)
    writer.endObject()
  }

  /// Whether the id is there, or can be added without repeating a name.
  private func isAddable(_ field: Field) -> Bool {
    if let text = field.text { !text.isEmpty } else { field.isAbsent }
  }

  /// An agent's message: role agent, the relay's ids, the rest as it was.
  func writeAgent(
    _ body: [UInt8], _ item: AgentResult.Item, messageID: String, into writer: inout JSONWriter
  ) {
    if let object = item.object {
      rewrite(body, object, agentMessageID: messageID, into: &writer)
      return
    }
    writeFrame(messageID: messageID, into: &writer) { writer in
      ContentWriter.write(body, item.content, as: dialect, into: &writer)
    }
  }

  /// A message that the relay itself has to say.
  func writeRelay(_ text: String, messageID: String, into writer: inout JSONWriter) {
    writeFrame(messageID: messageID, into: &writer) { writer in
      writer.beginArray()
      PartWriter.writeText(text, as: dialect, into: &writer)
      writer.endArray()
    }
  }

  private func writeFrame(
    messageID: String, into writer: inout JSONWriter, parts: (inout JSONWriter) -> Void
  ) {
    writer.beginObject()
    writeAgentHead(messageID, &writer)
    writer.key("parts")
    parts(&writer)
    writeIDs(task: true, context: true, &writer)
    writer.endObject()
  }

  private func writeAgentHead(_ messageID: String, _ writer: inout JSONWriter) {
    writeKind(&writer)
    writer.key("messageId")
    writer.string(messageID)
    writer.key("role")
    writer.string(A2ARole.agent.name(in: dialect))
  }

  private func writeKind(_ writer: inout JSONWriter) {
    guard dialect == .v03 else { return }
    writer.key("kind")
    writer.string("message")
  }

  private func writeIDs(task: Bool, context: Bool, _ writer: inout JSONWriter) {
    if context {
      writer.key("contextId")
      writer.string(contextID)
    }
    if task {
      writer.key("taskId")
      writer.string(taskID)
    }
  }

  /// Member by member: what the dialects spell alike, and what neither knows, is copied.
  private func rewrite(
    _ body: [UInt8], _ range: Range<Int>, agentMessageID: String?, into writer: inout JSONWriter
  ) {
    let members = JSONMembers(body.span, in: range)
    writer.beginObject()
    if let agentMessageID { writeAgentHead(agentMessageID, &writer) } else { writeKind(&writer) }
    var hasTask = false
    var hasContext = false
    for member in members.list {
      let isOwn = agentMessageID != nil
      switch member.name {
      case "kind": break
      case "messageId", "message_id":
        if !isOwn, isText(body, member) { copy(body, member, as: "messageId", &writer) }
      case "role":
        if !isOwn { writeRole(body, member, &writer) }
      case "parts":
        writer.key("parts")
        PartWriter.writeArray(body, member.value, as: dialect, into: &writer)
      case "taskId", "task_id":
        guard !isOwn, isText(body, member) else { break }
        hasTask = true
        copy(body, member, as: "taskId", &writer)
      case "contextId", "context_id":
        guard !isOwn, isText(body, member) else { break }
        hasContext = true
        copy(body, member, as: "contextId", &writer)
      case "referenceTaskIds", "reference_task_ids":
        if member.kind == .array { copy(body, member, as: "referenceTaskIds", &writer) }
      case "metadata", "extensions":
        if member.kind != .null { copyUnknown(body, member, &writer) }
      default: copyUnknown(body, member, &writer)
      }
    }
    if members["parts"] == nil {
      writer.key("parts")
      writer.beginArray()
      writer.endArray()
    }
    writeIDs(task: !hasTask, context: !hasContext, &writer)
    writer.endObject()
  }

  private func isText(_ body: [UInt8], _ member: JSONMembers.Member) -> Bool {
    member.kind == .string && member.value.count > 2
  }

  private func copy(
    _ body: [UInt8], _ member: JSONMembers.Member, as name: StaticString,
    _ writer: inout JSONWriter
  ) {
    writer.key(name)
    writer.raw(body[member.value])
  }

  private func copyUnknown(
    _ body: [UInt8], _ member: JSONMembers.Member, _ writer: inout JSONWriter
  ) {
    writer.key(raw: body[member.key])
    writer.raw(body[member.value])
  }

  private func writeRole(
    _ body: [UInt8], _ member: JSONMembers.Member, _ writer: inout JSONWriter
  ) {
    let name = JSONMembers.enumeration(body.span, member) ?? ""
    writer.key("role")
    writer.string((A2ARole(name: name) ?? .user).name(in: dialect))
  }
}

/// Writes the parts of a short form.
enum ContentWriter {
  static func write(
    _ body: [UInt8], _ content: AgentResult.Content, as dialect: Dialect,
    into writer: inout JSONWriter
  ) {
    writer.beginArray()
    switch content.text {
    case .posted(let text): PartWriter.writeText([text], of: body, as: dialect, into: &writer)
    case .own(let text):
      PartWriter.writeText(text.description, as: dialect, into: &writer)
    case nil: break
    }
    if let parts = content.parts {
      PartWriter.writeAll(body, parts, as: dialect, into: &writer)
    }
    if let data = content.data { PartWriter.writeData(body, data, as: dialect, into: &writer) }
    writer.endArray()
  }
}
