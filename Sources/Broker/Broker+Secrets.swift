package import Relay
import System
import Wire

/// Secrets: set by an operator, read by the agent. They change in memory, and are answered, once
/// that is durable; no log and no audit line has a value.
extension Broker {
  /// Never claimed without a bearer from then on: whoever came first would read them.
  package func hasSecrets(_ id: WorkspaceID) -> Bool {
    !directory.secrets[id].isEmpty || secretsOnTheirWay[id] != nil
  }

  package func setSecret(
    _ call: CallID, _ key: String, _ value: String, of id: WorkspaceID, by actor: String, now: Now
  ) {
    do throws(RelayError) {
      guard directory.workspace(id) != nil else { throw .notFound }
      try checkRoom(for: key, value, of: id)
      if isDiskLow { throw .diskFull }
      let secret = RegisteredSecret(
        workspace: id, key: key, value: value, createdAt: now.wall, updatedAt: now.wall)
      registryBatch.append(.putSecret(secret))
      change(
        call, key, of: id, by: actor, .secretSet, status: "saved", now: now
      ) { $0.secrets.put(secret) }
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }

  package func deleteSecret(
    _ call: CallID, _ key: String, of id: WorkspaceID, by actor: String, now: Now
  ) {
    guard directory.secrets[id][key] != nil || secretsOnTheirWay[id]?[key] != nil else {
      return replies.send(Reply(call: call, error: .notFound))
    }
    registryBatch.append(.deleteSecret(id, key: key))
    change(call, key, of: id, by: actor, .secretDelete, status: "deleted", now: now) {
      $0.secrets.remove(key, of: id)
    }
  }

  /// What is on its way counts as if it were there already.
  private func checkRoom(
    for key: String, _ value: String, of id: WorkspaceID
  ) throws(RelayError) {
    let known = directory.secrets[id]
    let coming = (secretsOnTheirWay[id] ?? [:]).keys.filter { known[$0] == nil }
    let isNew = known[key] == nil && !coming.contains(key)
    if isNew, known.count + coming.count >= limits.secretsPerWorkspaceMax { throw .secretsFull }
    let all = directory.secrets.bytes + secretBytesOnTheirWay + value.utf8.count
    let freed = known[key]?.value.utf8.count ?? 0
    if all - freed > limits.secretsInMemoryMax { throw .secretsFull }
  }

  private var secretBytesOnTheirWay: Int {
    secretsOnTheirWay.isEmpty
      ? 0
      : secretsOnTheirWay.values.reduce(0) { $0 + $1.values.reduce(0, +) } * limits.secretBytesMax
  }

  private func change(
    _ call: CallID, _ key: String, of id: WorkspaceID, by actor: String, _ action: AuditAction,
    status: String, now: Now, apply: @escaping (inout Directory) -> Void
  ) {
    secretsOnTheirWay[id, default: [:]][key, default: 0] += 1
    audit(actor, action, .workspace(id), key, now: now)
    let json: JSON = ["status": .string(status), "key": .string(key)]
    let log = log
    registryChanges.append(
      RegistryChange(
        workspace: id,
        apply: { directory in
          apply(&directory)
          log.info(
            "secret_changed",
            [
              "workspace": .text(id.text), "action": .text(action.rawValue), "key": .text(key),
              "actor": .text(actor),
            ])
        },
        reply: Reply(call: call, body: json.bytes), secretKey: key))
  }

  func settleSecret(_ key: String, of id: WorkspaceID) {
    secretsOnTheirWay[id]?[key, default: 0] -= 1
    if secretsOnTheirWay[id]?[key] == 0 { secretsOnTheirWay[id]?[key] = nil }
    if secretsOnTheirWay[id]?.isEmpty == true { secretsOnTheirWay[id] = nil }
  }

  // MARK: what is shown

  /// To the agent: name and value.
  package func secretValues(_ call: CallID, _ id: WorkspaceID, isWrapped: Bool) {
    let payer = payer(of: .workspace(id))
    do throws(RelayError) {
      try replies.checkMemory(payer)
      let json = registryJSON.secretValues(directory.secrets[id], isWrapped: isWrapped)
      var reply = Reply(call: call, body: json.bytes)
      // A cache on the way must not keep them (RFC 9111 §5.2.2.5).
      reply.headers = [("Cache-Control", "no-store")]
      replies.count(&reply, for: payer)
      replies.send(reply)
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }
}
