import Broker
import Relay
import Wire

/// Reads what an agent posts about an entry.
enum AgentCallReader {
  /// The lease token: the header's, else the body's member `lease`.
  static func fence(_ header: String?, _ body: [UInt8]) throws(BatchFault) -> Fence {
    guard let text = header ?? member("lease", of: body) else { throw BatchFault(.leaseMissing) }
    guard let fence = LeaseToken.read(text) else {
      throw BatchFault(.badParameter, "\"\(text.prefix(32))\" is no lease token")
    }
    return fence
  }

  static func verb(
    _ verb: Route.Verb, _ body: [UInt8], _ limits: Limits
  ) throws(BatchFault) -> AgentVerb {
    switch verb {
    case .result: return try result(body)
    case .claim: return .claim
    case .extend, .release:
      guard !body.isEmpty else { return try change(verb, .object([]), limits) }
      guard let json = try? JSON(parsing: body) else { throw BatchFault(.badJSON) }
      return try change(verb, json, limits)
    }
  }

  /// One element of a batch's `calls`, which stands at `range` in the body.
  static func part(
    _ item: JSON, at range: Range<Int>, of body: [UInt8], _ id: WorkspaceID, _ call: CallID,
    _ limits: Limits
  ) throws(BatchFault) -> AgentCall {
    guard let verb = item["op"]?.string.flatMap(Route.Verb.init(rawValue:)) else {
      let names = Route.Verb.allCases.map(\.rawValue).joined(separator: ", ")
      throw BatchFault(.badRequest, "op: allowed are \(names)")
    }
    guard let message = item["message"]?.string.flatMap({ MessageID($0) }) else {
      throw BatchFault(.notFound)
    }
    guard let fence = item["lease"]?.string.flatMap(LeaseToken.read) else {
      throw BatchFault(.leaseMissing)
    }
    let agentVerb: AgentVerb
    switch verb {
    case .claim: agentVerb = .claim
    case .extend, .release: agentVerb = try change(verb, item, limits)
    // As it stands, so that the same result in a call of its own is the same one.
    case .result:
      let own = JSONRanges.member("result", of: range, in: body) ?? range
      agentVerb = try result(Array(body[own]))
    }
    return AgentCall(call: call, workspace: id, message: message, fence: fence, verb: agentVerb)
  }

  private static func result(_ body: [UInt8]) throws(BatchFault) -> AgentVerb {
    switch AgentResult.parse(body) {
    case .failure(let error): throw BatchFault(.badResult, error.description)
    case .success(let result):
      guard result.state.isTerminal || result.state.isInterrupted else {
        throw BatchFault(.notAnEnd)
      }
      return .result(body: body, state: result.state)
    }
  }

  private static func change(
    _ verb: Route.Verb, _ json: JSON, _ limits: Limits
  ) throws(BatchFault) -> AgentVerb {
    guard json.object != nil else { throw BatchFault(.badRequest, "the body must be an object") }
    if verb == .extend {
      let max = Int(limits.leaseMax.components.seconds)
      return .extend(try seconds(json, "lease_seconds", 1...max))
    }
    let max = Int(limits.releaseDelayMax.components.seconds)
    let reason = json["reason"]?.string ?? ""
    return .release(
      delay: try seconds(json, "delay_seconds", 0...max), reason: String(reason.prefix(500)))
  }

  private static func seconds(
    _ json: JSON, _ name: String, _ range: ClosedRange<Int>
  ) throws(BatchFault) -> Duration? {
    guard let value = json[name], !value.isNull else { return nil }
    guard let seconds = value.int, range.contains(seconds) else {
      throw BatchFault(
        .badParameter, "\(name) must be \(range.lowerBound) to \(range.upperBound)")
    }
    return .seconds(seconds)
  }

  /// A string member of a JSON object, found without building the rest.
  private static func member(_ name: String, of body: [UInt8]) -> String? {
    let span = body.span
    var scanner = JSONScanner()
    do throws(JSONError) {
      try scanner.begin(span)
      guard try scanner.kind(span) == .object else { return nil }
      try scanner.enter(span)
      var isFirst = true
      while let key = try scanner.nextKey(span, isFirst: &isFirst) {
        if key.equals(name, in: span), try scanner.kind(span) == .string {
          return try scanner.string(span).string(in: span)
        }
        _ = try scanner.skip(span)
      }
    } catch {
      // What is wrong with it is said by whoever reads the whole body.
      return nil
    }
    return nil
  }
}
