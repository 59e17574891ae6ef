import Engine
import Relay
import Wire

/// Reads what a redrive, a replay or a purge of many messages asks for.
struct JobReader {
  let limits: Limits

  static let everyState = MessageFilter.States(MessageFilter.States.named.map(\.state))

  func wish(
    _ verb: JobRow.Verb, _ json: JSON, _ query: String?
  ) throws(BatchFault) -> JobRequest {
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
      try QueryValue.number("rate", QueryValue.text(of: value), 1...limits.jobRateMax)
        ?? limits.jobRate
    }
    let dryRun = try flag("dry_run", json, items)
    return JobRequest(
      verb: verb, filter: filter, ids: ids, rate: rate ?? limits.jobRate, isDryRun: dryRun)
  }

  /// Refuses unknown members by their name: a misspelt filter must not mean every message.
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
      throw BatchFault(.badRequest, "give state or states, not both")
    }
  }

  /// Reads a flag from the body or the query; the query wins.
  private func flag(
    _ name: String, _ json: JSON, _ query: QueryItems
  ) throws(BatchFault) -> Bool {
    if let member = json[name], member.bool == nil {
      throw BatchFault(.badRequest, "\(name) must be true or false")
    }
    guard let text = query.first(name) else { return json[name]?.bool ?? false }
    guard let value = QueryValue.flag(text) else {
      throw BatchFault(.badParameter, "\(name): 1 or 0")
    }
    return value
  }

  private func messages(_ json: JSON) throws(BatchFault) -> [MessageID] {
    guard let list = json["ids"] else { return [] }
    guard let array = list.array, (1...limits.jobIDsMax).contains(array.count) else {
      throw BatchFault(.badRequest, "ids must be a list of 1 to \(limits.jobIDsMax) message ids")
    }
    guard json["state"] == nil, json["states"] == nil else {
      throw BatchFault(.badRequest, "give ids or states, not both")
    }
    var ids: [MessageID] = []
    for item in array {
      guard let id = item.string.flatMap({ MessageID($0) }) else { throw BatchFault(.notFound) }
      ids.append(id)
    }
    return ids
  }

  /// Returns the states of the messages that are meant. Messages that are named by their ids may be
  /// in any state that the operation allows.
  private func states(
    _ verb: JobRow.Verb, _ json: JSON, isNamed: Bool, isInFlight: Bool
  ) throws(BatchFault) -> MessageFilter.States {
    var allowed: MessageFilter.States
    switch verb {
    case .redrive: allowed = .dead
    case .replay: allowed = [.answered, .dead, .expired, .cancelled]
    case .purge:
      allowed = [.queued, .answered, .unreceived, .dead, .expired, .cancelled]
      // Messages that an agent works on are purged only if the request says so.
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
      throw BatchFault(
        .badRequest, "name the messages by \"ids\" or by \"states\"; the body has neither")
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
        throw BatchFault(.badParameter, "state must be one of \(list.joined(separator: ", "))")
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
        throw BatchFault(.badParameter, "\(name) must be a time such as 2026-01-31T23:59:59Z")
      }
      return WallTime(nanoseconds: nanoseconds)
    }
    filter.since = try time("since")
    filter.until = try time("until")
  }
}
