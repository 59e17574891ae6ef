package import Relay
import System
import Wire

/// Secrets that an operator sets and the agent reads. A change takes effect in memory, and is
/// answered, once it is durable. No log and no audit line contains a value.
package final class RegisteredSecrets {
  private let journal: RegistryJournal
  private let diskGuard: DiskGuard
  private let replies: Replies
  private let limits: Limits
  private let log: Log
  /// The number of writes of each secret that are not durable yet.
  private var pending: [WorkspaceID: [String: Int]] = [:]

  init(
    _ journal: RegistryJournal, _ diskGuard: DiskGuard, _ replies: Replies, _ limits: Limits,
    _ log: Log
  ) {
    self.journal = journal
    self.diskGuard = diskGuard
    self.replies = replies
    self.limits = limits
    self.log = log
  }

  private var directory: Directory { _read { yield journal.directory } }

  var hasPending: Bool { !pending.isEmpty }

  /// Returns whether the workspace has secrets. A workspace with secrets cannot be claimed without
  /// a bearer, because anybody who came first could read them.
  func areThere(for id: WorkspaceID) -> Bool {
    !directory.secrets[id].isEmpty || pending[id] != nil
  }

  package func set(
    _ call: CallID, _ key: String, _ value: String, of id: WorkspaceID, by actor: String, now: Now
  ) {
    do throws(RelayError) {
      guard directory.workspace(id) != nil else { throw .notFound }
      try checkRoom(for: key, value, of: id)
      if diskGuard.isLow { throw .diskFull }
      let secret = RegisteredSecret(
        workspace: id, key: key, value: value, createdAt: now.wall, updatedAt: now.wall)
      submit(
        .putSecret(secret), call, key, of: id, by: actor, .secretSet,
        answer: .secretSaved(key: key), now: now
      ) { $0.secrets.put(secret) }
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }

  package func delete(
    _ call: CallID, _ key: String, of id: WorkspaceID, by actor: String, now: Now
  ) {
    guard directory.secrets[id][key] != nil || pending[id]?[key] != nil else {
      return replies.send(Reply(call: call, error: .notFound))
    }
    submit(
      .deleteSecret(id, key: key), call, key, of: id, by: actor, .secretDelete,
      answer: .secretDeleted(key: key), now: now
    ) { $0.secrets.remove(key, of: id) }
  }

  /// Throws if there is no room for the value. Secrets whose write is pending count.
  private func checkRoom(
    for key: String, _ value: String, of id: WorkspaceID
  ) throws(RelayError) {
    let known = directory.secrets[id]
    let coming = (pending[id] ?? [:]).keys.filter { known[$0] == nil }
    let isNew = known[key] == nil && !coming.contains(key)
    if isNew, known.count + coming.count >= limits.secretsPerWorkspaceMax { throw .secretsFull }
    let all = directory.secrets.bytes + pendingBytes + value.utf8.count
    let freed = known[key]?.value.utf8.count ?? 0
    if all - freed > limits.secretsInMemoryMax { throw .secretsFull }
  }

  private var pendingBytes: Int {
    pending.values.reduce(0) { $0 + $1.values.reduce(0, +) } * limits.secretBytesMax
  }

  private func submit(
    _ write: RegistryWrite, _ call: CallID, _ key: String, of id: WorkspaceID, by actor: String,
    _ action: AuditAction, answer: ReplyContent, now: Now,
    apply: @escaping (inout Directory) -> Void
  ) {
    pending[id, default: [:]][key, default: 0] += 1
    var change = RegistryChange(
      [write], about: id, reply: Reply(call: call, answer))
    change.audit(
      AuditEntry(at: now.wall, actor: actor, action: action, target: .workspace(id), detail: key),
      isLogged: false)
    change.finished = { [unowned self] in removePending(key, of: id) }
    change.apply = { [log] directory in
      apply(&directory)
      log.info(
        "secret_changed",
        [
          "workspace": .text(id.text), "action": .text(action.rawValue), "key": .text(key),
          "actor": .text(actor),
        ])
    }
    journal.submit(change)
  }

  private func removePending(_ key: String, of id: WorkspaceID) {
    pending[id]?[key, default: 0] -= 1
    if pending[id]?[key] == 0 { pending[id]?[key] = nil }
    if pending[id]?.isEmpty == true { pending[id] = nil }
  }

  /// Answers the workspace's agent with names and values.
  package func values(_ call: CallID, of id: WorkspaceID, isWrapped: Bool) {
    let payer = replies.payer(of: .workspace(id)) { directory.workspace(id)?.row.org }
    do throws(RelayError) {
      try replies.checkMemory(payer)
      var reply = Reply(call: call, .secrets(directory.secrets[id], isWrapped: isWrapped))
      replies.count(&reply, for: payer)
      replies.send(reply)
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }
}
