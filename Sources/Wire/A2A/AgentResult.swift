/// What an agent posted as the end of its work, in whichever of the accepted forms, with
/// everything that is needed to show it to a caller of either dialect.
///
/// Accepted: the short form `{"text","state","parts","data"}`; a Task or a Message of 0.3 or 1.0,
/// bare or as `{"task":…}`/`{"message":…}`; any of these as `result` of a JSON-RPC response, with
/// or without its `jsonrpc` and `id`; an `error`, which ends the task failed with its text.
package struct AgentResult: Sendable {
  /// The parts of a message or artifact, in order: a text, an array of parts, one data value.
  struct Content: Sendable {
    var text: Words?
    var parts: Range<Int>?
    var data: Range<Int>?

    var isEmpty: Bool { text == nil && parts == nil && data == nil }
  }

  /// A text of its own: in the body, or the relay's.
  enum Words: Sendable {
    case posted(JSONScanner.Text)
    case own(StaticString)

    func string(in body: [UInt8]) -> String {
      switch self {
      case .posted(let text): text.string(in: body.span)
      case .own(let text): text.description
      }
    }

    var bytes: Int {
      switch self {
      case .posted(let text): text.range.count
      case .own(let text): text.utf8CodeUnitCount
      }
    }
  }

  /// A message or an artifact: its content, and the object that its other members are in.
  struct Item: Sendable {
    var content: Content
    var object: Range<Int>?

    /// About as many as it takes in an answer.
    var bytes: Int {
      object?.count ?? (content.text?.bytes ?? 0) + (content.parts?.count ?? 0)
        + (content.data?.count ?? 0)
    }
  }

  /// The body as it was posted; all ranges point into it.
  package let body: [UInt8]
  package var state: A2AState = .completed
  /// True when the agent named the state; else it is `completed`, the default.
  package var hasState = false
  var status: Item?
  var artifacts: [Item] = []
  /// The parts of its artifacts and its status message together.
  package var partCount = 0
  /// Parts that it may have, and artifacts.
  var partsMax = PartsScan.countMax
  /// The metadata object of a posted Task.
  var metadata: Range<Int>?

  init(body: [UInt8]) { self.body = body }

  package var artifactCount: Int { artifacts.count }

  /// The text of the status message, one line per part; nil when there is no message or no text.
  package var statusText: String? { status.flatMap { text(of: $0.content) } }

  /// The answer as plain text: that of the artifacts, else that of the status message.
  package var text: String {
    let texts = artifacts.compactMap { text(of: $0.content) }
    return texts.isEmpty ? statusText ?? "" : texts.joined(separator: "\n")
  }

  /// The text parts of `content`; nil when it has none.
  func text(of content: Content) -> String? {
    var lines: [String] = []
    if let text = content.text { lines.append(text.string(in: body)) }
    if let parts = content.parts {
      var scanner = JSONScanner(at: parts.lowerBound)
      if let scan = try? PartsScan(body.span, &scanner, countMax: partsMax), !scan.texts.isEmpty {
        lines.append(scan.texts.joined(in: body.span))
      }
    }
    return lines.isEmpty ? nil : lines.joined(separator: "\n")
  }

  /// - `isStored`: the result was taken when it came, by the rules of that time.
  package static func parse(
    _ body: [UInt8], isStored: Bool = false
  ) -> Result<AgentResult, AgentResultError> {
    do throws(AgentResultError) {
      var scanner = JSONScanner(valuesMax: isStored ? .max : JSONScanner.valuesMax)
      let range: Range<Int>
      do throws(JSONError) { range = try scanner.whole(body.span) } catch {
        throw AgentResultError("the result is not JSON: \(error)")
      }
      if !isStored, let unreadable = JSONUnreadable.first(in: body.span, walkedBy: scanner) {
        throw AgentResultError("callers could not read the result: \(unreadable)")
      }
      var result = AgentResult(body: body)
      if isStored { result.partsMax = .max }
      try result.read(range, envelopes: 0)
      return .success(result)
    } catch {
      return .failure(error)
    }
  }
}

/// The reason why a posted result was not understood, for the agent's author.
package struct AgentResultError: Error, Equatable, Sendable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }

  static let forms = """
    a result is {"text":"…"}, optionally with "state", "parts" and "data"; or a Task or Message \
    of A2A 0.3 or 1.0; or a JSON-RPC response with "result" or "error"
    """

  /// The short spellings of all states, for the sentence about an unknown one.
  static let states = A2AState.allCases.map { $0.name(in: .v03) }.joined(separator: ", ")
}
