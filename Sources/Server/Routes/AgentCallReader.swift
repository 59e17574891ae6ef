import Engine
import Relay
import Wire

/// What an agent does with a message that it was given.
enum InboxAction: String, CaseIterable { case claim, extend, release, result }

/// Reads what an agent posts about a message.
enum AgentCallReader {
  /// Returns the lease token: the header's, or else the body's member `lease`.
  static func fence(_ header: String?, _ body: [UInt8]) throws(BatchFault) -> Fence {
    guard let text = header ?? member("lease", of: body) else { throw BatchFault(.leaseMissing) }
    guard let fence = LeaseToken.read(text) else {
      throw BatchFault(
        .badParameter,
        "\"\(text.prefix(32))\" is not a lease token; send the \"token\" of the message's lease")
    }
    return fence
  }

  static func verb(
    _ action: InboxAction, _ body: [UInt8], _ limits: Limits
  ) throws(BatchFault) -> AgentVerb {
    switch action {
    case .result: return try result(body)
    case .claim: return .claim
    case .extend, .release:
      guard !body.isEmpty else { return try change(action, .object([]), limits) }
      let json: JSON
      do throws(JSONError) {
        json = try JSON(parsing: body, valuesMax: limits.bodyValuesMax)
      } catch { throw BatchFault(RelayError(error)) }
      try checkReadable(body)
      return try change(action, json, limits)
    }
  }

  /// Refuses a body that JSON parsers cannot read: the timeline shows the reason of a release.
  private static func checkReadable(_ body: [UInt8]) throws(BatchFault) {
    guard let unreadable = JSONUnreadable.first(in: body.span) else { return }
    throw BatchFault(.badRequest, "\(unreadable)")
  }

  /// Returns the workspace that a registration names, without reading its card.
  static func workspace(of body: [UInt8]) -> WorkspaceID? {
    guard let range = try? JSONScanner.validate(body.span) else { return nil }
    let names = JSONRanges.object(of: ["id", "workspace_id"], at: range, in: body)
    return (names["id"] ?? names["workspace_id"])?.string.flatMap { WorkspaceID($0) }
  }

  /// Returns where the `calls` of a batch stand in the body, and its `poll`.
  static func batch(
    _ body: [UInt8], _ limits: Limits
  ) throws(BatchFault) -> (calls: [Range<Int>], poll: PollWish?) {
    guard !body.isEmpty else { return ([], nil) }
    let range: Range<Int>
    do throws(JSONError) { range = try JSONScanner.validate(body.span) } catch {
      throw BatchFault(RelayError(error))
    }
    guard body[range.lowerBound] == UInt8(ascii: "{") else { throw BatchFault(.badRequest) }
    var calls: [Range<Int>] = []
    if let list = JSONRanges.member("calls", of: range, in: body) {
      guard body[list.lowerBound] == UInt8(ascii: "[") else {
        throw BatchFault(.badRequest, "calls must be an array")
      }
      calls = JSONRanges.elements(at: list, in: body)
      guard calls.count <= limits.batchMax else {
        throw BatchFault(.badParameter, "calls: at most \(limits.batchMax)")
      }
    }
    guard let at = JSONRanges.member("poll", of: range, in: body),
      body[at.lowerBound] != UInt8(ascii: "n")
    else { return (calls, nil) }
    guard body[at.lowerBound] == UInt8(ascii: "{") else {
      throw BatchFault(.badRequest, "poll must be an object")
    }
    let poll = JSONRanges.object(of: PollWish.names, at: at, in: body)
    let wish = try PollWish(limits: limits) { name in
      guard let value = poll[name] else { return nil }
      return value.string ?? value.int.map(String.init) ?? value.bool.map { $0 ? "1" : "0" }
        ?? "?"
    }
    return (calls, wish)
  }

  /// The members that an action of a batch may have, apart from its result.
  private static let names = [
    "op", "message", "lease", "lease_seconds", "delay_seconds", "reason",
  ]

  /// Reads the element of a batch's `calls` that stands at `range` in the body.
  static func part(
    at range: Range<Int>, of body: [UInt8], _ id: WorkspaceID, _ call: CallID, _ limits: Limits
  ) throws(BatchFault) -> AgentCall {
    let item = JSONRanges.object(of: names, at: range, in: body)
    guard let action = item["op"]?.string.flatMap(InboxAction.init(rawValue:)) else {
      let names = InboxAction.allCases.map(\.rawValue).joined(separator: ", ")
      throw BatchFault(.badRequest, "op must be one of \(names)")
    }
    guard let message = item["message"]?.string.flatMap({ MessageID($0) }) else {
      throw BatchFault(.notFound)
    }
    guard let fence = item["lease"]?.string.flatMap(LeaseToken.read) else {
      throw BatchFault(.leaseMissing)
    }
    let verb: AgentVerb
    switch action {
    case .claim: verb = .claim
    case .extend, .release:
      try checkReadable(Array(body[range]))
      verb = try change(action, item, limits)
    // Byte for byte, so that the same result in a request of its own counts as the same one.
    case .result:
      let own = JSONRanges.member("result", of: range, in: body) ?? range
      verb = try result(Array(body[own]))
    }
    return AgentCall(call: call, workspace: id, message: message, fence: fence, verb: verb)
  }

  private static func result(_ body: [UInt8]) throws(BatchFault) -> AgentVerb {
    switch AgentResult.parse(body) {
    case .failure(let error): throw BatchFault(.badResult, error.description)
    case .success(let result):
      guard result.state.isOfResult else {
        throw BatchFault(.notAnEnd)
      }
      return .result(body: body, state: result.state)
    }
  }

  private static func change(
    _ action: InboxAction, _ json: JSON, _ limits: Limits
  ) throws(BatchFault) -> AgentVerb {
    guard json.object != nil else { throw BatchFault(.badRequest, "the body must be an object") }
    if action == .extend {
      let max = Int(limits.leaseMax.components.seconds)
      return .extend(try QueryValue.seconds("lease_seconds", json, 1...max))
    }
    let max = Int(limits.releaseDelayMax.components.seconds)
    let reason = json["reason"]?.string ?? ""
    return .release(
      delay: try QueryValue.seconds("delay_seconds", json, 0...max),
      reason: String(reason.prefix(500)))
  }

  /// Returns a string member of a JSON object, without building the rest.
  private static func member(_ name: String, of body: [UInt8]) -> String? {
    let span = body.span
    var scanner = JSONScanner()
    do throws(JSONError) {
      try scanner.begin(span)
      guard try scanner.kind(span) == .object else { return nil }
      try scanner.enter(span)
      var names = JSONScanner.Names()
      while let key = try scanner.nextKey(span, &names) {
        if key.equals(name, in: span), try scanner.kind(span) == .string {
          return try scanner.string(span).string(in: span)
        }
        _ = try scanner.skip(span)
      }
    } catch {
      // Whoever reads the whole body says what is wrong with it.
      return nil
    }
    return nil
  }
}
