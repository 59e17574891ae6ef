import Engine
import HTTPServer
import Relay
import Wire

/// Operators on one workspace's queue. What a body or a query asks for is read here; the engine
/// carries it out and answers.
extension RelayServer {
  func operate(
    _ route: QueueRoute, at id: WorkspaceID, _ head: HTTPRequestHead, _ body: [UInt8],
    _ ticket: Ticket, now: Now
  ) throws(RelayError) {
    let operation = operation(head, ticket, now: now)
    do throws(BatchFault) {
      switch route {
      case .status: engine.queueStatus(operation, at: id, now: now)
      case .messages:
        engine.messages(operation, try page(QueryItems(head.query)), at: id, now: now)
      case .verb(.cancel, let message): engine.cancel(operation, message, at: id, now: now)
      case .verb(.redrive, let message): engine.redrive(operation, message, at: id, now: now)
      case .verb(.replay, let message): engine.replay(operation, message, at: id, now: now)
      case .many(let verb):
        let wish = try JobReader(limits: limits).wish(verb, try members(body), head.query)
        engine.startJob(operation, wish, at: id, now: now)
      case .jobs: engine.jobs(operation, at: id, now: now)
      case .job(let job) where head.method == "DELETE":
        engine.stopJob(operation, job, at: id, now: now)
      case .job(let job): engine.job(operation, job, at: id, now: now)
      case .pause:
        engine.registry.workspaces.pause(
          operation, at: id, refusesSends: try refusesSends(try members(body), head.query),
          now: now)
      case .resume: engine.registry.workspaces.resume(operation, at: id, now: now)
      case .badID: throw BatchFault(.notFound)
      }
    } catch {
      engine.replies.send(Reply(call: operation.call, error: error.error, detail: error.detail))
    }
  }

  func explain(
    _ message: MessageID, at id: WorkspaceID, _ head: HTTPRequestHead, _ ticket: Ticket, now: Now
  ) {
    let operation = operation(head, ticket, now: now)
    engine.timeline(
      operation.call, message, at: id, bodies: QueryItems(head.query).first("bodies") == "1",
      payer: operation.payer, now: now)
  }

  private func operation(_ head: HTTPRequestHead, _ ticket: Ticket, now: Now) -> Operation {
    Operation(
      call: open(ticket, .other), actor: actor(head, ticket, now: now),
      payer: shown?.payer ?? .nobody)
  }

  private func members(_ body: [UInt8]) throws(BatchFault) -> JSON {
    do throws(RelayError) { return try object(body) } catch { throw BatchFault(error) }
  }

  private func refusesSends(_ json: JSON, _ query: String?) throws(BatchFault) -> Bool {
    let wish = json["sends"]?.string ?? QueryItems(query).first("sends")
    switch wish {
    case nil where json["sends"] == nil, "accept": return false
    case "refuse": return true
    default: throw BatchFault(.badRequest, "sends: allowed are accept, refuse")
    }
  }

  private func page(_ query: QueryItems) throws(BatchFault) -> MessagePage {
    let reader = JobReader(limits: limits)
    var page = MessagePage(
      limit: try reader.number("limit", query.first("limit"), 1...limits.listRowsMax)
        ?? min(100, limits.listRowsMax))
    if let text = query.first("after") {
      // The number of a page's end, or a message's id.
      guard let seq = Seq(text) ?? MessageID(text)?.seq, seq >= 0 else {
        throw BatchFault(.badParameter, "after must be the \"next\" of a page, or a message's id")
      }
      page.after = seq
    }
    if let state = query.first("state") {
      page.filter.states = try reader.states([state], JobReader.everyState)
    }
    try reader.readTimes(into: &page.filter) { query.first($0) }
    return page
  }
}

/// Reads what a verb over many messages asks for.
struct JobReader {
  let limits: Limits

  static let everyState = MessageFilter.States(MessageFilter.States.named.map(\.state))

  func wish(
    _ verb: JobRow.Verb, _ json: JSON, _ query: String?
  ) throws(BatchFault) -> Engine.JobWish {
    try check(verb, json, query)
    let ids = try messages(json)
    var filter = MessageFilter()
    let items = QueryItems(query)
    let isInFlight = try flag("in_flight", json, items)
    filter.states = try states(verb, json, isNamed: !ids.isEmpty, isInFlight: isInFlight)
    try readTimes(into: &filter) { name in
      json[name].map { $0.string ?? "?" }
    }
    let rate = try json["rate"].map { value throws(BatchFault) in
      try number("rate", value.int.map(String.init) ?? "?", 1...limits.jobRateMax)
        ?? limits.jobRate
    }
    let dryRun = try flag("dry_run", json, items)
    return Engine.JobWish(
      verb: verb, filter: filter, ids: ids, rate: rate ?? limits.jobRate, isDryRun: dryRun)
  }

  /// A wish that is misspelt must not mean everything: what is not known is refused by its name.
  private func check(
    _ verb: JobRow.Verb, _ json: JSON, _ query: String?
  ) throws(BatchFault) {
    var known = ["ids", "state", "states", "since", "until", "rate", "dry_run"]
    if verb == .purge { known.append("in_flight") }
    for member in json.object ?? [] where !known.contains(member.key) {
      let list = known.joined(separator: ", ")
      throw BatchFault(.badRequest, "\"\(member.key)\" is not known; allowed are \(list)")
    }
    let flags = verb == .purge ? ["dry_run", "in_flight"] : ["dry_run"]
    for item in QueryItems(query).items where !flags.contains(item.name) {
      let list = flags.joined(separator: ", ")
      throw BatchFault(.badParameter, "\"\(item.name)\" is not known; allowed: \(list)")
    }
    if json["state"] != nil, json["states"] != nil {
      throw BatchFault(.badRequest, "state, or states: not both")
    }
  }

  /// A member of the body, or an item of the query, which wins.
  private func flag(
    _ name: String, _ json: JSON, _ query: QueryItems
  ) throws(BatchFault) -> Bool {
    if let member = json[name], member.bool == nil {
      throw BatchFault(.badRequest, "\(name): true or false")
    }
    guard let text = query.first(name) else { return json[name]?.bool ?? false }
    guard let value = RelayServer.flag(text) else {
      throw BatchFault(.badParameter, "\(name): 1 or 0")
    }
    return value
  }

  private func messages(_ json: JSON) throws(BatchFault) -> [MessageID] {
    guard let list = json["ids"] else { return [] }
    guard let array = list.array, (1...limits.jobIDsMax).contains(array.count) else {
      throw BatchFault(.badRequest, "ids: a list of 1 to \(limits.jobIDsMax) message ids")
    }
    guard json["state"] == nil, json["states"] == nil else {
      throw BatchFault(.badRequest, "ids, or states: not both")
    }
    var ids: [MessageID] = []
    for item in array {
      guard let id = item.string.flatMap({ MessageID($0) }) else { throw BatchFault(.notFound) }
      ids.append(id)
    }
    return ids
  }

  /// What the verb is good for; with ids, all of that.
  private func states(
    _ verb: JobRow.Verb, _ json: JSON, isNamed: Bool, isInFlight: Bool
  ) throws(BatchFault) -> MessageFilter.States {
    var allowed: MessageFilter.States
    switch verb {
    case .redrive: allowed = .dead
    case .replay: allowed = [.answered, .dead, .expired, .cancelled]
    case .purge:
      allowed = [.queued, .answered, .unreceived, .dead, .expired, .cancelled]
      // Work in flight goes only on somebody's word.
      if isInFlight { allowed.insert(.inFlight) }
    }
    if isNamed { return allowed }
    var names: [String] = []
    if let list = json["states"] ?? json["state"] {
      for item in list.array ?? [list] { names.append(item.string ?? "?") }
    }
    if verb == .redrive, names.isEmpty { return .dead }
    var found = try states(names, allowed)
    if verb == .purge, isInFlight { found.insert(.inFlight) }
    guard !found.isEmpty else {
      throw BatchFault(.badRequest, "\"ids\", or \"states\": nothing is meant by nothing")
    }
    return found
  }

  func states(
    _ names: [String], _ allowed: MessageFilter.States
  ) throws(BatchFault) -> MessageFilter.States {
    var found: MessageFilter.States = []
    for name in names {
      guard let state = MessageFilter.States.named.first(where: { $0.name == name })?.state,
        allowed.contains(state)
      else {
        let list = MessageFilter.States.named.filter { allowed.contains($0.state) }.map(\.name)
        throw BatchFault(.badParameter, "state: allowed are \(list.joined(separator: ", "))")
      }
      found.insert(state)
    }
    return found
  }

  func readTimes(
    into filter: inout MessageFilter, _ value: (String) -> String?
  ) throws(BatchFault) {
    func time(_ name: String) throws(BatchFault) -> WallTime? {
      guard let text = value(name) else { return nil }
      guard let nanoseconds = Timestamp.nanoseconds(rfc3339: text) else {
        throw BatchFault(.badParameter, "\(name): a time, as 2026-01-31T23:59:59Z")
      }
      return WallTime(nanoseconds: nanoseconds)
    }
    filter.since = try time("since")
    filter.until = try time("until")
  }

  func number(
    _ name: String, _ text: String?, _ range: ClosedRange<Int>
  ) throws(BatchFault) -> Int? {
    guard let text else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw BatchFault(.badParameter, "\(name) must be \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }
}
