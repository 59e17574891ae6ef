package import Relay
import Store
import System
import Wire

/// Lines of the audit that nobody waits for: how a job ended, and why a verb was refused. They go
/// with the registry's next commit, and stay here while the disk refuses it.
struct LinesToStore {
  var waiting: [AuditEntry] = []
  /// Not before; `nil`: with the turn's commit.
  var due: Instant?
}

/// Who did what, in relay.db.
///
/// A verb on the registry writes its line in its own transaction. One whose writes are in another
/// file writes the line first, and begins when that is durable: whatever was done has its line,
/// through every crash; and a line without an effect is what a refused verb, or a crash in between,
/// leaves.
extension Broker {
  /// A line in the audit, durable with this turn's other changes of the registry.
  @discardableResult
  package func audit(
    _ actor: String, _ action: AuditAction, _ target: AuditTarget, _ detail: String = "", now: Now
  ) -> AuditEntry {
    let entry = AuditEntry(
      at: now.wall, actor: actor, action: action, target: target, detail: detail)
    registryBatch.append(.audit(entry))
    return entry
  }

  /// Writes the line, and begins the verb when it is durable. Refused, `call` is told so, and
  /// nothing was done.
  func audit(
    _ entry: AuditEntry, before verb: @escaping (Broker, Now) -> Void, of call: CallID,
    otherwise: @escaping (Broker) -> Void = { _ in }
  ) {
    registryBatch.append(.audit(entry))
    registryChanges.append(
      RegistryChange(
        refused: { broker, _ in
          otherwise(broker)
          broker.replies.send(Reply(call: call, error: .notStored))
        },
        then: verb))
  }

  /// A line that follows what it tells of.
  func auditLater(_ entry: AuditEntry) {
    if linesToStore.waiting.count >= limits.auditLinesWaitingMax {
      let lost = linesToStore.waiting.removeFirst()
      log.error(
        "audit_line_lost",
        [
          "action": .text(lost.action), "target": .text(lost.target), "actor": .text(lost.actor),
          "detail": .text(lost.detail),
        ])
    }
    linesToStore.waiting.append(entry)
  }

  /// The verb has its line, and was not carried out.
  func auditRefusal(
    _ actor: String, _ action: AuditAction, _ target: AuditTarget, _ error: RelayError, now: Now
  ) {
    auditLater(
      AuditEntry(
        at: now.wall, actor: actor, action: action, target: target,
        detail: "refused: \(error.code)"))
  }

  /// When the lines that the disk has refused are written again.
  var linesDue: Instant? {
    linesToStore.waiting.isEmpty || fatal != nil
      ? nil : linesToStore.due ?? Instant(nanoseconds: 0)
  }

  /// Those that go with this turn's commit of the registry.
  func takeLines(now: Now) -> [RegistryWrite] {
    if let due = linesToStore.due, due > now.instant { return [] }
    return linesToStore.waiting.map { .audit($0) }
  }

  /// They are in the file, or have to wait.
  func linesStored(_ count: Int, _ isStored: Bool, now: Now) {
    if isStored { linesToStore.waiting.removeFirst(count) }
    linesToStore.due = isStored ? nil : now.instant + limits.revocationRetry
  }

  /// What a transaction with lines in it takes away at the other end.
  func trim(with writes: [RegistryWrite], now: Now) -> RegistryWrite? {
    let lines = writes.reduce(0) { if case .audit = $1 { $0 + 1 } else { $0 } }
    guard lines > 0 else { return nil }
    let oldest =
      isTimeDoubtful(now) ? nil : now.wall + (.zero - limits.auditKept)
    return .trimAudit(before: oldest, keep: limits.auditEntriesMax, rows: 2 * lines)
  }

  /// For the end of the process.
  func writeLines() throws(StoreError) {
    try data.registry.commit(linesToStore.waiting.map { .audit($0) })
    linesToStore = LinesToStore()
  }

  /// The newest lines below one, newest first.
  package func showAudit(_ call: CallID, before id: Int64, limit: Int) {
    do {
      // One more tells whether there are any left.
      var entries = try data.registry.audit(before: id, limit: limit + 1)
      let hasMore = entries.count > limit
      if hasMore { entries.removeLast() }
      let json = registryJSON.audit(entries, hasMore: hasMore)
      // Lines may be shown that no barrier has covered: the answer leaves with the next one.
      registryChanges.append(RegistryChange(reply: Reply(call: call, body: json.bytes)))
    } catch {
      log.error("registry_failed", ["error": .text(error.description)])
      if error.isFinalForProcess { fatal = error }
      replies.send(Reply(call: call, error: .workspaceUnavailable))
    }
  }
}
