package import Relay
import Wire

/// Orgs and their keys.
extension Broker {
  package func createOrg(_ call: CallID, _ org: RegisteredOrg, actor: String, now: Now) {
    do throws(RelayError) {
      guard directory.orgs[org.id] == nil, !orgsOnTheirWay.contains(org.id) else {
        throw .orgExists
      }
      guard directory.orgs.count + orgsOnTheirWay.count < limits.orgsMax else { throw .orgsFull }
      orgsOnTheirWay.insert(org.id)
      registryBatch.append(.createOrg(org))
      let record = audit(actor, .orgCreate, .org(org.id), org.name, now: now)
      var reply = Reply(call: call, status: 201)
      reply.body = registryJSON.org(org).bytes
      registryChanges.append(
        RegistryChange(
          apply: { $0.put(org) }, reply: reply,
          refused: { broker, _ in broker.orgsOnTheirWay.remove(org.id) },
          then: { broker, _ in broker.orgsOnTheirWay.remove(org.id) }, record: record))
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }

  package func mintKey(
    _ call: CallID, for org: String, _ scopes: RegisteredToken.Scopes, _ wish: TokenWish,
    actor: String, now: Now
  ) {
    do throws(RelayError) {
      guard directory.orgs[org] != nil else { throw .notFound }
      try checkRoom(.org(org), ending: [], now: now)
      let key = make(
        .org(org), org: org, scopes: scopes, wish, TokenOrigin(by: actor), now: now)
      let reply = Reply(call: call, status: 201, body: registryJSON.minted(key).bytes)
      registryChanges.append(
        RegistryChange(
          apply: { key.confirm(&$0) }, reply: reply,
          refused: { broker, _ in broker.directory.changeTokens { $0.drop(key.digest) } },
          then: { broker, _ in broker.noteEnd(of: key.row) },
          record: audit(actor, .keyMint, .org(org), key.row.fingerprint, now: now)))
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }

  /// - `org`: the only one whose keys the actor may revoke; `nil`: any.
  package func revokeKey(
    _ call: CallID, _ fingerprint: String, in org: String?, actor: String, now: Now
  ) {
    guard let entry = directory.tokens.key(fingerprint), entry.isDurable,
      org == nil || entry.row.org == org
    else { return replies.send(Reply(call: call, error: .notFound)) }
    var reply = Reply(call: call)
    reply.body = (["status": "revoked", "id": .string(fingerprint)] as JSON).bytes
    revoke([entry], reply, actor, .keyRevoke, .org(entry.row.org), now: now)
  }
}
