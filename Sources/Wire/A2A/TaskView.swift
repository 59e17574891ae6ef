/// A task of the relay, to be shown to a caller in the caller's dialect (A2A 1.0 §4.1.1, 0.3 §6.1).
///
/// History holds each turn's message and the agent's answer to it, in order; the last answer is
/// also the status message, under the same message id, as long as the task is in the state that
/// the answer gave it. Ids are made from the task's id and positions, so that the same task reads
/// the same every time.
package struct TaskView: Sendable {
  /// One message to the agent, and what the agent posted for it.
  package struct Turn: Sendable {
    /// The whole body of the request, and where its message is.
    package var request: [UInt8]
    package var message: Range<Int>
    package var dialect: Dialect
    /// The id of the agent's message; nil: the agent's own, else one made from the task's id.
    package var replyID: String?
    /// The result that the agent posted.
    package var result: AgentResult?

    /// `result` was accepted by `AgentResult.parse` when it came.
    package init(
      request: [UInt8], message: Range<Int>, dialect: Dialect, replyID: String? = nil,
      result: [UInt8]?
    ) {
      self.init(
        request: request, message: message, dialect: dialect, replyID: replyID,
        parsed: result.flatMap { try? AgentResult.parse($0, isStored: true).get() })
    }

    /// Makes a turn from a result that has been read already.
    package init(
      request: [UInt8], message: Range<Int>, dialect: Dialect, replyID: String? = nil,
      parsed result: AgentResult? = nil
    ) {
      self.request = request
      self.message = message
      self.dialect = dialect
      self.replyID = replyID
      self.result = result
    }
  }

  /// Limit: Messages in a Task's history, the newest ones, whatever the caller asks for.
  package static let historyMax = 100
  /// Limit: Bytes of messages in a Task's history; the oldest are left out.
  package static let historyBytesMax = 16 * 1024 * 1024
  /// Limit: Bytes of an agent's message in the status up to which the history repeats it.
  private static let repeatedBytesMax = 1024 * 1024

  package var id: String
  package var contextID: String
  package var state: A2AState
  /// The time at which the state was entered: RFC 3339 with milliseconds.
  package var timestamp: String
  package var turns: [Turn]
  /// Turns before these, which are too many or too large to be shown.
  package var omittedTurns = 0
  /// The relay's own words about the state, in place of the agent's message.
  package var statusText: String?
  /// Adds the answer's text as top-level `parts`: a platform's parser reads them, A2A's SDKs
  /// ignore them.
  package var hasTopLevelParts = false

  package init(
    id: String, contextID: String, state: A2AState, timestamp: String, turns: [Turn],
    statusText: String? = nil
  ) {
    self.id = id
    self.contextID = contextID
    self.state = state
    self.timestamp = timestamp
    self.turns = turns
    self.statusText = statusText
  }

  /// The result of a send: 1.0 names which of the two it is, 0.3 has the `kind` in it.
  package func writeSendResult(
    as dialect: Dialect, historyLength: Int?, into writer: inout JSONWriter
  ) {
    guard dialect == .v10 else {
      return write(as: dialect, historyLength: historyLength, into: &writer)
    }
    writer.beginObject()
    writer.key("task")
    write(as: dialect, historyLength: historyLength, into: &writer)
    writer.endObject()
  }

  package func sendResult(as dialect: Dialect, historyLength: Int?) -> [UInt8] {
    var writer = JSONWriter(capacity: 1024)
    writeSendResult(as: dialect, historyLength: historyLength, into: &writer)
    return writer.bytes
  }

  /// The result of a get or cancel.
  package func result(as dialect: Dialect, historyLength: Int?) -> [UInt8] {
    var writer = JSONWriter(capacity: 1024)
    write(as: dialect, historyLength: historyLength, into: &writer)
    return writer.bytes
  }

  /// The Task object. `historyLength` (A2A 1.0 §3.2.4): nil all, 0 no `history`, n the last n.
  /// `includesArtifacts` is false for lists that did not ask for them (§3.1.4).
  package func write(
    as dialect: Dialect, historyLength: Int?, includesArtifacts: Bool = true,
    into writer: inout JSONWriter
  ) {
    let results = turns.map(\.result)
    writer.beginObject()
    if dialect == .v03 {
      writer.key("kind")
      writer.string("task")
    }
    writer.key("id")
    writer.string(id)
    writer.key("contextId")
    writer.string(contextID)
    writeStatus(results, dialect, &writer)
    if includesArtifacts { writeArtifacts(results, dialect, &writer) }
    writeHistory(results, dialect, historyLength, &writer)
    if let last = results.last(where: { $0?.metadata != nil }), let result = last,
      let metadata = result.metadata
    {
      writer.key("metadata")
      writer.raw(result.body[metadata])
    }
    if hasTopLevelParts { writeTopLevelParts(results, dialect, &writer) }
    writer.endObject()
  }
}

extension TaskView {
  private func messages(_ dialect: Dialect) -> MessageWriter {
    MessageWriter(dialect: dialect, taskID: id, contextID: contextID)
  }

  private func writeStatus(
    _ results: [AgentResult?], _ dialect: Dialect, _ writer: inout JSONWriter
  ) {
    writer.key("status")
    writer.beginObject()
    writer.key("state")
    writer.string(state.name(in: dialect))
    if let statusText {
      writer.key("message")
      messages(dialect).writeRelay(
        statusText, messageID: "\(id)-status-\(omittedTurns + turns.count + 1)", into: &writer)
    } else if let last = results.last, let result = last, showsInStatus(result),
      let status = result.status
    {
      writer.key("message")
      messages(dialect).writeAgent(
        result.body, status, messageID: replyID(turns.count - 1, result), into: &writer)
    }
    writer.key("timestamp")
    writer.string(timestamp)
    writer.endObject()
  }

  private func replyID(_ turn: Int, _ result: AgentResult) -> String {
    if let given = turns[turn].replyID { return given }
    if let object = result.status?.object,
      let own = JSONMembers(result.body.span, in: object)["messageId", "message_id"],
      let string = JSONMembers.string(result.body.span, at: own.value), !string.isEmpty
    {
      return string
    }
    return id + "-status-" + String(omittedTurns + turn + 1)
  }

  /// Whether the message of the last turn's result is the status message.
  private func showsInStatus(_ result: AgentResult) -> Bool {
    statusText == nil && result.state == state
  }

  private func writeHistory(
    _ results: [AgentResult?], _ dialect: Dialect, _ length: Int?, _ writer: inout JSONWriter
  ) {
    var entries: [(turn: Int, isAgent: Bool)] = []
    for turn in turns.indices {
      if !turns[turn].message.isEmpty { entries.append((turn, false)) }
      guard let result = results[turn], let status = result.status else { continue }
      let isRepeated = turn == turns.count - 1 && showsInStatus(result)
      if !isRepeated || status.bytes <= Self.repeatedBytesMax { entries.append((turn, true)) }
    }
    let shown = fitting(
      entries.suffix(max(0, min(length ?? Self.historyMax, Self.historyMax))), results)
    guard !shown.isEmpty else { return }
    let messages = messages(dialect)
    writer.key("history")
    writer.beginArray()
    for entry in shown {
      let turn = turns[entry.turn]
      if !entry.isAgent {
        messages.writeUser(turn.request, turn.message, from: turn.dialect, into: &writer)
      } else if let result = results[entry.turn], let status = result.status {
        messages.writeAgent(
          result.body, status, messageID: replyID(entry.turn, result), into: &writer)
      }
    }
    writer.endArray()
  }

  /// The newest of them that fit into `historyBytesMax` together.
  private func fitting(
    _ entries: ArraySlice<(turn: Int, isAgent: Bool)>, _ results: [AgentResult?]
  ) -> ArraySlice<(turn: Int, isAgent: Bool)> {
    var left = Self.historyBytesMax
    var first = entries.endIndex
    while first > entries.startIndex {
      let entry = entries[first - 1]
      left -=
        entry.isAgent ? results[entry.turn]?.status?.bytes ?? 0 : turns[entry.turn].message.count
      guard left >= 0 else { break }
      first -= 1
    }
    return entries[first...]
  }

  /// About as many bytes as an answer with it takes.
  package var answerBytes: Int {
    turns.reduce(0) { sum, turn in
      let status = turn.result?.status?.bytes ?? 0
      return sum + turn.message.count + (turn.result?.body.count ?? 0) + status
    }
  }

  private func writeArtifacts(
    _ results: [AgentResult?], _ dialect: Dialect, _ writer: inout JSONWriter
  ) {
    guard results.contains(where: { $0?.artifacts.isEmpty == false }) else { return }
    writer.key("artifacts")
    writer.beginArray()
    for (turn, result) in results.enumerated() {
      guard let result else { continue }
      for (index, artifact) in result.artifacts.enumerated() {
        let number = String(omittedTurns + turn + 1)
        let artifactID = id + "-artifact-" + number + "-" + String(index + 1)
        writeArtifact(result.body, artifact, artifactID, dialect, &writer)
      }
    }
    writer.endArray()
  }

  private func writeArtifact(
    _ body: [UInt8], _ artifact: AgentResult.Item, _ artifactID: String, _ dialect: Dialect,
    _ writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.key("artifactId")
    writer.string(artifactID)
    if let object = artifact.object {
      let names = ["artifactId", "artifact_id", "parts"]
      for member in JSONMembers(body.span, in: object).list
      where member.kind != .null && !names.contains(member.name) {
        writer.key(raw: body[member.key])
        writer.raw(body[member.value])
      }
    }
    writer.key("parts")
    ContentWriter.write(body, artifact.content, as: dialect, into: &writer)
    writer.endObject()
  }

  private func writeTopLevelParts(
    _ results: [AgentResult?], _ dialect: Dialect, _ writer: inout JSONWriter
  ) {
    let answer = results.last.flatMap { $0 }?.text ?? ""
    writer.key("parts")
    writer.beginArray()
    PartWriter.writeText(
      answer.isEmpty ? statusText ?? "" : answer, as: dialect, into: &writer)
    writer.endArray()
  }
}
