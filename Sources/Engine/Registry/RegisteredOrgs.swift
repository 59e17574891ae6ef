package import Relay
import Wire

/// The orgs and their keys.
package final class RegisteredOrgs {
  private let journal: RegistryJournal
  private let tokens: RegisteredTokens
  private let replies: Replies
  private let limits: Limits
  /// Orgs whose rows are not durable yet.
  private var pending: Set<String> = []

  init(
    _ journal: RegistryJournal, _ tokens: RegisteredTokens, _ replies: Replies,
    _ limits: Limits
  ) {
    self.journal = journal
    self.tokens = tokens
    self.replies = replies
    self.limits = limits
  }

  private var directory: Directory { _read { yield journal.directory } }

  package func create(_ call: CallID, _ org: RegisteredOrg, actor: String, now: Now) {
    do throws(RelayError) {
      guard directory.orgs[org.id] == nil, !pending.contains(org.id) else { throw .orgExists }
      guard directory.orgs.count + pending.count < limits.orgsMax else { throw .orgsFull }
      pending.insert(org.id)
      var change = RegistryChange([.createOrg(org)])
      change.audit(
        AuditEntry(
          at: now.wall, actor: actor, action: .orgCreate, target: .org(org.id), detail: org.name))
      change.reply = Reply(call: call, .org(org))
      change.finished = { [unowned self] in pending.remove(org.id) }
      change.apply = { $0.put(org) }
      journal.submit(change)
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
      try tokens.checkRoom(.org(org), now: now)
      let key = tokens.make(
        .org(org), org: org, scopes: scopes, wish, TokenOrigin(by: actor), now: now)
      var change = RegistryChange(
        key.writes, reply: Reply(call: call, .keyMinted(key.row, secret: key.secret)))
      change.audit(
        AuditEntry(
          at: now.wall, actor: actor, action: .keyMint, target: .org(org),
          detail: key.row.fingerprint))
      change.apply = { key.confirm(&$0) }
      tokens.submit(change, of: key)
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }

  /// Revokes a key.
  ///
  /// - `org`: the only org whose keys the actor may revoke; `nil`: any org.
  package func revokeKey(
    _ call: CallID, _ fingerprint: String, in org: String?, actor: String, now: Now
  ) {
    guard let entry = directory.tokens.key(fingerprint), entry.isDurable,
      org == nil || entry.row.org == org
    else { return replies.send(Reply(call: call, error: .notFound)) }
    let reply = Reply(call: call, .tokenRevoked(fingerprint: fingerprint))
    tokens.revoke([entry], reply, actor, .keyRevoke, .org(entry.row.org), now: now)
  }
}
