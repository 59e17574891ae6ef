import Relay
import Store
import Testing
import Wire

@testable import Engine

/// What operators do.
extension Bench {
  /// Foundation has a type of that name too.
  typealias Verb = Operation

  func operation() -> Operation { Operation(call: engine.nextCall(), actor: "admin") }

  /// A verb on one message, until it is answered.
  func operate(
    _ verb: (Operation, MessageID, WorkspaceID) -> Void, _ message: MessageID, _ id: WorkspaceID
  ) throws -> Shown {
    let operation = operation()
    verb(operation, message, id)
    sync()
    return try #require(replies[operation.call])
  }

  func cancel(_ id: WorkspaceID, _ message: MessageID) throws -> Shown {
    try operate({ engine.operators.cancel($0, $1, at: $2, now: now) }, message, id)
  }

  func redrive(_ id: WorkspaceID, _ message: MessageID) throws -> Shown {
    try operate({ engine.operators.redrive($0, $1, at: $2, now: now) }, message, id)
  }

  func replay(_ id: WorkspaceID, _ message: MessageID) throws -> Shown {
    try operate({ engine.operators.replay($0, $1, at: $2, now: now) }, message, id)
  }

  func backUp(_ folder: String, _ workspace: WorkspaceID? = nil) throws -> Shown {
    try asked {
      engine.backups.startBackup($0.call, folder, workspace: workspace, actor: $0.actor, now: now)
    }
  }

  func asked(_ body: (Operation) -> Void) throws -> Shown {
    let operation = operation()
    body(operation)
    // What reads many rows takes many turns.
    for _ in 0..<50 where replies[operation.call] == nil { sync() }
    return try #require(replies[operation.call])
  }

  func pause(_ id: WorkspaceID, refusesSends: Bool = false) throws -> Shown {
    try asked { engine.registry.workspaces.pause($0, at: id, refusesSends: refusesSends, now: now) }
  }

  func resume(_ id: WorkspaceID) throws -> Shown {
    try asked { engine.registry.workspaces.resume($0, at: id, now: now) }
  }

  func queue(_ id: WorkspaceID) throws -> JSON {
    try asked { engine.operators.queueStatus($0, at: id, now: now) }.json
  }

  func list(
    _ id: WorkspaceID, _ states: MessageFilter.States = [], after: Seq = 0, limit: Int = 100
  ) throws -> JSON {
    var page = MessagePage(limit: limit)
    page.filter.states = states
    page.after = after
    return try asked { engine.operators.messages($0, page, at: id, now: now) }.json
  }

  func job(
    _ id: WorkspaceID, _ verb: JobRow.Verb, _ states: MessageFilter.States = .dead,
    ids: [MessageID] = [], rate: Int = 10_000, isDryRun: Bool = false
  ) throws -> Shown {
    var filter = MessageFilter()
    filter.states = states
    let wish = JobRequest(
      verb: verb, filter: filter, ids: ids, rate: rate, isDryRun: isDryRun)
    return try asked { engine.operators.startJob($0, wish, at: id, now: now) }
  }

  func job(_ id: WorkspaceID, _ job: JSON?) throws -> JSON {
    let number = try #require(job?.string.flatMap { JobID($0) })
    return try asked { engine.operators.job($0, number, at: id, now: now) }.json
  }

  /// Time passes until the job has ended.
  func finish(_ id: WorkspaceID, _ job: JSON?) throws -> JSON {
    for _ in 0..<500 {
      let json = try self.job(id, job)
      if json["state"]?.string != "running" { return json }
      wait(.milliseconds(20))
    }
    Issue.record("the job does not end")
    return .null
  }

  /// A message that has used up its attempts (`attempts` must be 1); its caller took the Task.
  @discardableResult
  func dead(_ id: WorkspaceID, _ messageID: String = "m-1") throws -> MessageID {
    let message = try stored(id, messageID)
    let held = try take(id)
    #expect(held.message == message)
    agent(id, held, .release(delay: nil, reason: "no"))
    sync()
    #expect(try timeline(id, message)["state"] == "dead")
    return message
  }

  /// Looks through the files until nothing is due.
  func sweep() {
    advance(.seconds(2))
    sync()
    for _ in 0..<2000 {
      turn()
      engine.maintain(now: now)
      guard let due = engine.nextDeadline(), due <= now.instant else { break }
    }
    sync()
  }

  static var oneAttempt: Limits {
    var limits = Limits()
    limits.attempts = 1
    return limits
  }
}

extension JSON {
  var names: [String] { (self["timeline"]?.array ?? []).compactMap { $0["event"]?.string } }
  var ids: [String] { (self["messages"]?.array ?? []).compactMap { $0["id"]?.string } }
}
