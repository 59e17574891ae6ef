/// A call at the platform's way in: what its clients send, brought into the form that A2A has.
///
/// They leave out `jsonrpc`, message ids and roles, name parts by `type`, and send the `content`
/// of older versions. Only what is missing or named otherwise is written anew; everything else is
/// spliced, byte for byte. What A2A has in its own form comes out as it went in.
package struct PlatformCall: Sendable {
  /// As it is stored, and read again by `A2ACall.parse`.
  package let body: [UInt8]
  package let rpc: A2ACall
  /// The target that the params name: `metadata.target_workspace_id`, `metadata.to`, `to`.
  package let target: String?
  /// The message is an agent's answer to something, by its role: nobody waits for one to that.
  package let isReply: Bool
  /// What was sent, if the body was mended: two equal calls may differ in the ids made for them.
  package let given: Given?

  package struct Given: Sendable {
    package let params: ArraySlice<UInt8>
    /// The message came without an id, and has one that no other call has.
    package let lacksMessageID: Bool

    package init(params: ArraySlice<UInt8>, lacksMessageID: Bool) {
      self.params = params
      self.lacksMessageID = lacksMessageID
    }
  }

  /// `newID` makes an id for what has none.
  package static func parse(
    _ given: [UInt8], version: String?, newID: () -> String
  ) -> Result<PlatformCall, A2AError> {
    var scanner = JSONScanner()
    guard (try? scanner.whole(given.span)) != nil else {
      // Says where.
      return A2ACall.parse(given, version: version).map { rpc in
        PlatformCall(body: given, rpc: rpc, target: nil, isReply: false, given: nil)
      }
    }
    let reader = PlatformReader(given)
    if let unreadable = JSONUnreadable.first(in: given.span, walkedBy: scanner) {
      let id = unreadable.isIn("id") ? nil : reader.id
      return .failure(
        A2AError.invalidParams("\(unreadable)")
          .answering(id: id ?? Array("null".utf8), dialect: .v03))
    }
    let mended = reader.mended(newID)
    let body = mended ?? given
    return A2ACall.parse(body, version: version).map { rpc in
      PlatformCall(
        body: body, rpc: rpc, target: reader.target, isReply: reader.isReply,
        given: mended.map { _ in reader.asGiven })
    }
  }
}

/// Reads a body of the platform's clients, which is valid JSON, and writes it as A2A has it.
private struct PlatformReader {
  private let given: [UInt8]
  private let top: JSONMembers
  private let params: JSONMembers?
  private let message: JSONMembers?

  init(_ given: [UInt8]) {
    self.given = given
    let start = given.firstIndex { $0 > 0x20 } ?? 0
    top = JSONMembers(given.span, in: start..<given.count)
    params = Self.object(top["params"], given)
    message = Self.object(params?["message"], given)
  }

  private static func object(_ member: JSONMembers.Member?, _ bytes: [UInt8]) -> JSONMembers? {
    guard let member, member.kind == .object else { return nil }
    return JSONMembers(bytes.span, in: member.value)
  }

  var id: [UInt8]? { top["id"].map { Array(given[$0.value]) } }

  var target: String? {
    let metadata = Self.object(params?["metadata"], given)
    return text(metadata?["target_workspace_id"]) ?? text(metadata?["to"]) ?? text(params?["to"])
  }

  var isReply: Bool { role == A2ARole.agent.name(in: .v03) }

  /// In 0.3's spelling, if it is one that a client has; absent is the user's.
  private var role: String? {
    guard let given = message?["role"] else { return A2ARole.user.name(in: .v03) }
    switch text(given) {
    case "user", "ROLE_USER", "": return A2ARole.user.name(in: .v03)
    case "agent", "assistant", "ROLE_AGENT": return A2ARole.agent.name(in: .v03)
    default: return nil
    }
  }

  var asGiven: PlatformCall.Given {
    PlatformCall.Given(
      params: top["params"].map { given[$0.value] } ?? [],
      lacksMessageID: message.map(hasNoID) == true)
  }

  private func text(_ member: JSONMembers.Member?) -> String? {
    member.flatMap { JSONMembers.string(given.span, at: $0.value) }
  }

  private var isSend: Bool {
    guard let method = top["method"] else { return true }
    return text(method) == A2AMethod.send.name(in: .v03)
  }

  // MARK: writing

  /// `nil`: there is nothing to mend.
  func mended(_ newID: () -> String) -> [UInt8]? {
    guard !top.list.isEmpty else { return nil }
    let isWhole = top["jsonrpc"] != nil && top["method"] != nil
    let mendsMessage = isSend && message.map(isIncomplete) == true
    if isWhole, !mendsMessage { return nil }
    var writer = JSONWriter(capacity: given.count + 160)
    writer.beginObject()
    if top["jsonrpc"] == nil {
      writer.key("jsonrpc")
      writer.string("2.0")
      if top["id"] == nil {
        writer.key("id")
        writer.string(newID())
      }
    }
    if top["method"] == nil {
      writer.key("method")
      writer.string("message/send")
    }
    // Null is absent, and would count as the last of its name.
    for member in top.list where !(member.kind == .null && member.name != "id") {
      writer.key(raw: given[member.key])
      if mendsMessage, member.name == "params", let params {
        write(params, newID, into: &writer)
      } else {
        writer.raw(given[member.value])
      }
    }
    writer.endObject()
    return writer.bytes
  }

  private func write(
    _ params: JSONMembers, _ newID: () -> String, into writer: inout JSONWriter
  ) {
    writer.beginObject()
    for member in params.list {
      writer.key(raw: given[member.key])
      if member.name == "message", let message {
        write(message: message, newID, into: &writer)
      } else {
        writer.raw(given[member.value])
      }
    }
    writer.endObject()
  }

  /// What a reader of 0.3 would miss in the message, or not know.
  private func isIncomplete(_ message: JSONMembers) -> Bool {
    if hasNoID(message) || text(message["role"]) != role && role != nil { return true }
    guard let parts = message["parts"] else { return message["content"] != nil }
    return JSONMembers.elements(given.span, in: parts.value).contains { part in
      if given[part.lowerBound] == UInt8(ascii: "\"") { return true }
      let members = JSONMembers(given.span, in: part)
      return members["type"] != nil || members["kind"] == nil && members["text"] != nil
    }
  }

  private func hasNoID(_ message: JSONMembers) -> Bool {
    let id = message["messageId", "message_id"]
    return id == nil || text(id) == ""
  }

  private func write(
    message: JSONMembers, _ newID: () -> String, into writer: inout JSONWriter
  ) {
    writer.beginObject()
    let lacksID = hasNoID(message)
    let takesContent = message["parts"] == nil
    if lacksID {
      writer.key("messageId")
      writer.string(newID())
    }
    if let role {
      writer.key("role")
      writer.string(role)
    }
    for member in message.list {
      switch member.name {
      case "messageId", "message_id": if lacksID { continue }
      case "role": if role != nil { continue }
      case "parts":
        // Null stands for content.
        guard member.kind == .array else {
          if takesContent, message["content"] != nil { continue }
          break
        }
        writer.key("parts")
        writeParts(JSONMembers.elements(given.span, in: member.value), into: &writer)
        continue
      case "content":
        guard takesContent, member.kind != .null else { break }
        writer.key("parts")
        writeContent(member, into: &writer)
        continue
      default: break
      }
      writer.key(raw: given[member.key])
      writer.raw(given[member.value])
    }
    writer.endObject()
  }

  private func writeParts(_ parts: [Range<Int>], into writer: inout JSONWriter) {
    writer.beginArray()
    for part in parts { write(part: part, into: &writer) }
    writer.endArray()
  }

  /// A text, a part, or an array of both.
  private func writeContent(_ content: JSONMembers.Member, into writer: inout JSONWriter) {
    let isArray = content.kind == .array
    let items = isArray ? JSONMembers.elements(given.span, in: content.value) : [content.value]
    writeParts(items, into: &writer)
  }

  private func write(part: Range<Int>, into writer: inout JSONWriter) {
    if let text = JSONMembers.string(given.span, at: part) {
      return PartWriter.writeText(text, as: .v03, into: &writer)
    }
    let members = JSONMembers(given.span, in: part)
    guard !members.list.isEmpty else { return writer.raw(given[part]) }
    writer.beginObject()
    if members["kind"] == nil {
      if let type = members["type"] {
        writer.key("kind")
        writer.raw(given[type.value])
      } else if members["text"] != nil {
        writer.key("kind")
        writer.string("text")
      }
    }
    for member in members.list where member.name != "type" {
      if member.name == "kind", member.kind == .null { continue }
      writer.key(raw: given[member.key])
      writer.raw(given[member.value])
    }
    writer.endObject()
  }
}
