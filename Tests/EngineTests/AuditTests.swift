import Archive
import CFaultVFS
import CSQLite
import Foundation
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// Every verb leaves its line in the audit, before anything is done.
@Suite struct AuditTests {
  let bench: Bench
  let id: WorkspaceID
  var engine: Engine { bench.engine }

  init() throws {
    bench = try Bench(limits: Bench.oneAttempt, vfs: "fault")
    id = try bench.create()
  }

  private func lines() throws -> [AuditEntry] { try bench.data.registry.audit(limit: 100) }

  /// What a verb has added, newest first.
  private func added(_ verb: () throws -> Void) throws -> [AuditEntry] {
    let before = try lines().first?.id ?? 0
    try verb()
    return try lines().filter { $0.id > before }
  }

  /// Answered, and well.
  private func done(_ verb: (Bench.Verb) -> Void) throws {
    let reply = try bench.asked(verb)
    #expect(reply.status < 300, "\(reply.text)")
  }

  // MARK: the table

  /// Who, and what the line is to name; an action without its verb here does not compile.
  @Test(arguments: AuditAction.allCases)
  func `every verb leaves one line, with its actor and its target`(_ action: AuditAction) throws {
    var actor = "admin"
    var target = AuditTarget.workspace(id)
    let lines: [AuditEntry]
    switch action {
    case .messageCancel, .messageRedrive, .messageReplay:
      let message = action == .messageCancel ? try bench.stored(id) : try bench.dead(id)
      target = .message(id, message)
      lines = try added { try carryOut(action, message) }
    case .jobStart, .jobStop, .jobEnd:
      try bench.dead(id)
      lines = try added(action)
    case .relayBackup, .workspaceExport, .workspaceImport, .relayRestore, .relayRollback:
      let rest = try archive(action)
      (lines, actor) = (rest.lines, rest.actor)
      if action != .workspaceExport, action != .workspaceImport { target = .relay }
    case .workspaceLoss:
      actor = AuditEntry.commandLine
      lines = try added {
        try bench.restart { _ = try $0.acceptLoss(of: id, now: bench.now) }
      }
    case .orgCreate, .keyMint, .keyRevoke:
      target = .org(action == .orgCreate ? "acme" : "default")
      lines = try added(action)
    case .workspaceCreate, .workspaceRegister, .workspaceChange, .workspacePause,
      .workspaceResume, .workspaceRemove, .workspaceRestore, .workspacePurge, .cardUpdate,
      .secretSet, .secretDelete, .tokenMint, .tokenRotate, .tokenRevoke:
      if action == .workspaceCreate { target = .workspace(other) }
      lines = try added(action)
    }
    #expect(lines.map(\.action) == [action.rawValue])
    #expect(lines.map(\.actor) == [actor])
    #expect(lines.map(\.target) == [target.text])
    bench.expectNothingHeld()
  }

  private let other = WorkspaceID(UUIDBytes(high: 42, low: 7))

  private func carryOut(_ action: AuditAction, _ message: MessageID) throws {
    try done {
      switch action {
      case .messageCancel: engine.operators.cancel($0, message, at: id, now: bench.now)
      case .messageRedrive: engine.operators.redrive($0, message, at: id, now: bench.now)
      default: engine.operators.replay($0, message, at: id, now: bench.now)
      }
    }
  }

  /// Verbs of the registry, and jobs.
  private func added(_ action: AuditAction) throws -> [AuditEntry] {
    let now = bench.now
    switch action {
    case .jobStart:
      return try added { _ = try bench.job(id, .redrive, rate: 1) }
    case .jobStop:
      let job = try bench.job(id, .redrive, rate: 1).json["job"]?.string.flatMap { JobID($0) }
      let number = try #require(job)
      let all = try added { try done { engine.operators.stopJob($0, number, at: id, now: now) } }
      #expect(all.map(\.action) == ["job.end", "job.stop"])
      return Array(all.suffix(1))
    case .jobEnd:
      let job = try bench.job(id, .redrive).json["job"]
      return try added { _ = try bench.finish(id, job) }
    case .workspaceResume: _ = try bench.pause(id)
    case .workspaceRestore:
      try done {
        engine.registry.removals.remove($0.call, id, purge: false, actor: "admin", now: now)
      }
    case .secretDelete:
      try done { engine.registry.secrets.set($0.call, "K", "v", of: id, by: "admin", now: now) }
    case .tokenRotate, .tokenRevoke:
      try done {
        engine.registry.tokens.mint($0.call, for: id, TokenWish(), actor: "admin", now: now)
      }
    default: break
    }
    var key = ""
    if action == .keyRevoke {
      let made = try bench.asked {
        engine.registry.orgs.mintKey(
          $0.call, for: "default", .send, TokenWish(), actor: "admin", now: now)
      }
      key = try #require(made.json["id"]?.string)
    }
    return try added { try done { registryVerb(action, $0, key) } }
  }

  private func registryVerb(_ action: AuditAction, _ operation: Bench.Verb, _ key: String) {
    let (call, actor, now) = (operation.call, operation.actor, bench.now)
    switch action {
    case .workspaceCreate:
      engine.registry.workspaces.create(
        call, id: other, name: "", settings: Settings(), actor: actor, now: now)
    case .workspaceRegister:
      engine.registry.workspaces.register(
        call,
        Registration(
          id: id, cardName: "", cardBytes: [], url: "", wantsPush: false,
          origin: TokenOrigin(by: actor)), identity: .admin, mode: .closed, now: now)
    case .workspaceChange:
      let change = WorkspaceChange(name: "another", parent: nil, settings: SettingsChange())
      engine.registry.workspaces.change(call, id, change, actor: actor, now: now)
    case .workspacePause:
      engine.registry.workspaces.pause(operation, at: id, refusesSends: false, now: now)
    case .workspaceResume: engine.registry.workspaces.resume(operation, at: id, now: now)
    case .workspaceRemove, .workspacePurge:
      let purge = action == .workspacePurge
      engine.registry.removals.remove(call, id, purge: purge, actor: actor, now: now)
    case .workspaceRestore: engine.registry.removals.restore(call, id, actor: actor, now: now)
    case .cardUpdate:
      engine.registry.workspaces.updateCard(call, Array("{}".utf8), of: id, actor: actor, now: now)
    case .secretSet: engine.registry.secrets.set(call, "K", "v", of: id, by: actor, now: now)
    case .secretDelete: engine.registry.secrets.delete(call, "K", of: id, by: actor, now: now)
    case .tokenMint: engine.registry.tokens.mint(call, for: id, TokenWish(), actor: actor, now: now)
    case .tokenRotate:
      engine.registry.tokens.rotate(call, of: id, grace: .zero, own: nil, actor: actor, now: now)
    case .tokenRevoke: engine.registry.tokens.revoke(call, of: id, nil, actor: actor, now: now)
    case .orgCreate:
      engine.registry.orgs.create(call, RegisteredOrg(id: "acme", name: ""), actor: actor, now: now)
    case .keyMint:
      engine.registry.orgs.mintKey(call, for: "default", .send, TokenWish(), actor: actor, now: now)
    case .keyRevoke: engine.registry.orgs.revokeKey(call, key, in: nil, actor: actor, now: now)
    case .messageCancel, .messageRedrive, .messageReplay, .jobStart, .jobStop, .jobEnd,
      .relayBackup, .workspaceExport, .workspaceImport, .workspaceLoss, .relayRestore,
      .relayRollback:
      Issue.record("\(action) is no verb of the registry")
    }
  }

  private func archive(
    _ action: AuditAction
  ) throws -> (lines: [AuditEntry], actor: String) {
    let folder = bench.path + "-backup"
    if action == .relayRollback {
      let lines = try added { try bench.data.beginLife(random: 7, at: bench.now.wall) }
      return (lines, AuditEntry.commandLine)
    }
    let isExport = action == .workspaceExport || action == .workspaceImport
    let lines = try added { () throws in
      #expect(try bench.backUp(folder, isExport ? id : nil).status == 202)
      runArchive(bench)
    }
    let path = bench.path + "-new"
    defer { try? FileManager.default.removeItem(atPath: path) }
    switch action {
    case .relayRestore:
      _ = try Restore.restore(folder, to: path, random: 1, at: bench.now.wall)
      let data = try DataDirectory(path: path, limits: Limits())
      // Behind what the backup has, its own line among them.
      let restored = try data.registry.audit(limit: 2)
      #expect(restored.last?.action == "relay.backup")
      return (Array(restored.prefix(1)), AuditEntry.commandLine)
    case .workspaceImport:
      let other = try Bench()
      let call = other.engine.nextCall()
      other.engine.backups.startImport(call, folder, actor: "admin", now: other.now)
      runArchive(other)
      #expect(other.replies[call]?.status == 201)
      return (try other.data.registry.audit(limit: 5), "admin")
    default: return (lines, "admin")
    }
  }

  private func runArchive(_ bench: Bench) {
    while let due = bench.engine.backups.runs.nextDue {
      bench.advance(max(.zero, due - bench.now.instant))
      if bench.engine.backups.turn(now: bench.now) != nil {
        bench.engine.backups.synced(code: 0, now: bench.now)
      }
    }
    bench.sync()
  }

  // MARK: first the line

  @Test func `a verb begins when its line is durable`() throws {
    let message = try bench.stored(id)
    let operation = bench.operation()
    engine.operators.cancel(operation, message, at: id, now: bench.now)
    bench.turn()
    #expect(try lines().first?.action == "message.cancel")
    #expect(bench.isWaitingForBarrier && bench.replies[operation.call] == nil)
    let queue = try #require(engine.pool[id]?.queue)
    #expect(queue.message(message.seq)?.state == .queued)
    bench.sync()
    #expect(bench.replies[operation.call]?.status == 200)
    #expect(queue.message(message.seq)?.state != .queued)
  }

  /// Only the first write is refused: what came after it would have been stored.
  private func failOnce(_ body: () throws -> Void) rethrows {
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 0)
    defer { fault_arm(0, 0, 0, 0) }
    try body()
    #expect(fault_fired() == 1)
  }

  @Test(arguments: [AuditAction.messageCancel, .messageReplay, .jobStart, .relayBackup])
  func `a verb whose line is refused has not begun`(_ action: AuditAction) throws {
    let message = action == .messageReplay ? try bench.dead(id) : try bench.stored(id)
    let before = try bench.list(id)
    let folder = bench.path + "-backup"
    var reply: Shown?
    try failOnce {
      reply = try bench.asked {
        switch action {
        case .messageCancel: engine.operators.cancel($0, message, at: id, now: bench.now)
        case .messageReplay: engine.operators.replay($0, message, at: id, now: bench.now)
        case .jobStart:
          var filter = MessageFilter()
          filter.states = .queued
          let wish = JobRequest(
            verb: .purge, filter: filter, ids: [], rate: 1000, isDryRun: false)
          engine.operators.startJob($0, wish, at: id, now: bench.now)
        default:
          engine.backups.startBackup(
            $0.call, folder, workspace: nil, actor: "admin", now: bench.now)
        }
      }
    }
    #expect(reply?.code == "not_stored")
    bench.wait(.seconds(1))
    #expect(try bench.list(id) == before)
    #expect(try lines().allSatisfy { $0.action != action.rawValue })
    #expect(engine.backups.runs.nextDue == nil && engine.pool[id]?.jobState.runs.isEmpty != false)
    bench.expectNothingHeld()
  }

  @Test func `a refused verb leaves a second line that says why`() throws {
    let message = try bench.stored(id)
    let added = try added { () throws in
      #expect(try bench.redrive(id, message).code == "not_dead")
      #expect(try bench.replay(id, message).code == "not_ended")
    }
    #expect(
      added.map { "\($0.action) \($0.detail)" } == [
        "message.replay refused: not_ended", "message.replay ",
        "message.redrive refused: not_dead", "message.redrive ",
      ])
    #expect(added.allSatisfy { $0.target == "\(id.text)/\(message.text)" && $0.actor == "admin" })
  }

  @Test func `what names nothing, reads, and dry runs leave no line`() throws {
    let message = try bench.stored(id)
    let unknown = MessageID(workspace: id.short, seq: 99, tag: 1)
    let added = try added { () throws in
      #expect(try bench.cancel(id, unknown).code == "not_found")
      #expect(try bench.job(id, .purge, .queued, isDryRun: true).status == 200)
      _ = try bench.timeline(id, message)
      let stop = try bench.asked { engine.operators.stopJob($0, 7, at: id, now: bench.now) }
      #expect(stop.code == "not_found")
    }
    #expect(added.isEmpty)
  }

  @Test func `a workspace that goes while the line is on its way is not found`() throws {
    let message = try bench.stored(id)
    let operation = bench.operation()
    engine.operators.cancel(operation, message, at: id, now: bench.now)
    engine.registry.removals.remove(
      engine.nextCall(), id, purge: false, actor: "admin", now: bench.now)
    bench.sync()
    #expect(bench.replies[operation.call]?.code == "not_found")
    #expect(try lines().first?.detail == "refused: not_found")
    bench.expectNothingHeld()
  }

  @Test func `a backup does not begin while the relay stops`() throws {
    let call = engine.nextCall()
    engine.backups.startBackup(
      call, bench.path + "-backup", workspace: nil, actor: "admin", now: bench.now)
    bench.turn()
    engine.shutDown(now: bench.now)
    bench.sync()
    #expect(bench.replies[call]?.code == "stopping")
    #expect(engine.backups.runs.nextDue == nil)
    #expect(!FileManager.default.fileExists(atPath: bench.path + "-backup"))
  }

  @Test func `a line that nobody waits for is written again when the disk has refused it`() throws {
    let line = AuditEntry(
      at: bench.now.wall, actor: "a", action: .jobEnd, target: .workspace(id), detail: "late")
    engine.registry.auditLater(line)
    failOnce { bench.turn() }
    #expect(try lines().first?.detail != "late")
    #expect(engine.nextDeadline().map { $0 <= bench.now.instant + .seconds(5) } == true)
    bench.wait(bench.limits.revocationRetry)
    #expect(try lines().first?.detail == "late")
    #expect(engine.registry.waitingLines.isEmpty)
    // At the end of the process it goes too.
    engine.registry.auditLater(line)
    try bench.restart()
    #expect(try lines().count { $0.detail == "late" } == 2)
  }

  // MARK: bounds

  @Test func `the audit's lines are bounded in number and age, and the newest stays`() throws {
    var limits = Limits()
    limits.auditEntriesMax = 5
    limits.auditKept = .seconds(3600)
    let bench = try Bench(limits: limits)
    let id = try bench.create()
    for _ in 0..<12 { _ = try bench.pause(id) }
    #expect(try bench.data.registry.audit(limit: 100).map(\.id) == [13, 12, 11, 10, 9])
    bench.wait(.seconds(3601))
    _ = try bench.resume(id)
    _ = try bench.resume(id)
    // A few with each new one.
    #expect(try bench.data.registry.audit(limit: 100).map(\.id) == [15, 14, 13])
    _ = try bench.resume(id)
    #expect(try bench.data.registry.audit(limit: 100).map(\.id) == [16, 15, 14])
  }

  @Test func `more lines that wait than the bound push out the oldest`() throws {
    let bench = try Bench { $0.auditLinesWaitingMax = 2 }
    for number in 0..<3 {
      bench.engine.registry.auditLater(
        AuditEntry(
          at: bench.now.wall, actor: "a", action: .jobEnd, target: .relay, detail: "\(number)"))
    }
    #expect(bench.engine.registry.waitingLines.map(\.detail) == ["1", "2"])
  }

  @Test func `the same card again is no change, and leaves no line`() throws {
    let card = Array("{\"name\":\"Ada\"}".utf8)
    var registration = Registration(
      id: id, cardName: "Ada", cardBytes: card, url: "", wantsPush: false)
    registration.origin = TokenOrigin(by: "agent")
    func register() throws -> Shown {
      try bench.asked {
        engine.registry.workspaces.register(
          $0.call, registration, identity: .workspace(id), mode: .closed, now: bench.now)
      }
    }
    let first = try added { _ = try register() }
    #expect(first.map(\.detail) == ["card"])
    let time = engine.registry.workspaces.cardTime(id)
    bench.wait(.seconds(10))
    let again = try added { () throws in
      #expect(try register().status == 200)
      try done {
        engine.registry.workspaces.updateCard($0.call, card, of: id, actor: "agent", now: bench.now)
      }
    }
    #expect(again.isEmpty && engine.registry.workspaces.cardTime(id) == time)
    bench.expectNothingHeld()
  }
}
