package import Relay
import Store
import System
import Wire

/// The properties of a token that somebody asks for.
package struct TokenWish: Sendable {
  package var name: String
  /// The token's lifetime; `nil`: it never expires.
  package var life: Duration?

  package init(name: String = "", life: Duration? = nil) {
    self.name = name
    self.life = life
  }
}

/// A token that is being made. Nothing else holds its secret.
struct NewToken {
  var secret: String
  var row: RegisteredToken
  var digest: SHA256.Digest
  /// The owner's oldest dead tokens, which leave the list to make room for this one.
  var surplus: [SHA256.Digest]

  /// The rows that the new token needs.
  var writes: [RegistryWrite] {
    [.addToken(row)] + surplus.map { .deleteToken(hash: $0.bytes) }
  }

  func confirm(_ directory: inout Directory) {
    directory.changeTokens { tokens in
      tokens.confirm(digest)
      for digest in surplus { tokens.drop(digest) }
    }
  }
}

/// Makes, replaces and revokes the tokens of workspaces and the keys of orgs, and deletes dead
/// ones.
package final class RegisteredTokens {
  /// The number of hex digits of the hash by which logs and lists name a token.
  static let fingerprintDigits = 8

  private let journal: RegistryJournal
  private let replies: Replies
  private let limits: Limits
  private let random: Random
  private let log: Log
  private(set) var care: TokenCare

  init(
    _ journal: RegistryJournal, _ tokens: [RegisteredToken], _ replies: Replies,
    _ limits: Limits, _ random: Random, _ log: Log
  ) {
    self.journal = journal
    self.replies = replies
    self.limits = limits
    self.random = random
    self.log = log
    care = TokenCare(limits)
    for token in tokens { care.noteEnd(of: token) }
  }

  private var host: any RegistryHost { journal.host }
  private var directory: Directory { _read { yield journal.directory } }

  // MARK: new ones

  package func mint(
    _ call: CallID, for id: WorkspaceID, _ wish: TokenWish, actor: String, now: Now
  ) {
    do throws(RelayError) {
      guard let row = journal.newestRow(id) else { throw .notFound }
      try checkRoom(.workspace(id), now: now)
      let token = new(for: row, wish, TokenOrigin(by: actor), now: now)
      var change = RegistryChange(
        token.writes,
        reply: Reply(call: call, .tokenMinted(token.row, id, secret: token.secret)))
      change.audit(
        AuditEntry(
          at: now.wall, actor: actor, action: .tokenMint, target: .workspace(id),
          detail: token.row.fingerprint))
      give(token, to: row, change, now: now)
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }

  /// Makes a token that replaces older ones, which stay valid until the grace is over. A holder
  /// replaces `own`, an operator all. It is one transaction: if it fails, nothing has changed.
  package func rotate(
    _ call: CallID, of id: WorkspaceID, grace: Duration, own: TokenUse?, actor: String, now: Now
  ) {
    do throws(RelayError) {
      guard let row = journal.newestRow(id) else { throw .notFound }
      let ending = directory.tokens.entries(of: .workspace(id)).filter {
        $0.row.isLive(at: now.wall) && (own == nil || $0.use === own)
      }
      try checkRoom(.workspace(id), ending: grace == .zero ? ending : [], now: now)
      let token = new(for: row, TokenWish(), TokenOrigin(by: actor), now: now)
      let end = now.wall + grace
      var change = RegistryChange(
        token.writes,
        reply: Reply(call: call, .tokenMinted(token.row, id, secret: token.secret)))
      for entry in ending where grace == .zero || entry.row.expiresAt ?? end >= end {
        change.write(
          grace == .zero
            ? .revokeToken(hash: entry.row.hash, at: end)
            : .expireToken(hash: entry.row.hash, at: end))
      }
      let detail =
        "\(token.row.fingerprint) for "
        + ending.map(\.row.fingerprint).joined(separator: " ")
        + ", grace \(grace.components.seconds) s"
      change.audit(
        AuditEntry(
          at: now.wall, actor: actor, action: .tokenRotate, target: .workspace(id),
          detail: detail))
      let digests = ending.compactMap { SHA256.Digest($0.row.hash) }
      change.apply = { Self.end(digests, at: end, isAtOnce: grace == .zero, &$0) }
      change.then = { [unowned self] now in rotated(digests, of: id, grace: grace, now: now) }
      give(token, to: row, change, now: now)
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }

  private static func end(
    _ digests: [SHA256.Digest], at end: WallTime, isAtOnce: Bool, _ directory: inout Directory
  ) {
    directory.changeTokens { tokens in
      for digest in digests {
        guard isAtOnce else {
          tokens.expire(digest, at: end)
          continue
        }
        tokens.revoke(digest, at: end)
        tokens.revocation(of: digest, is: .durable)
      }
    }
  }

  private func rotated(
    _ digests: [SHA256.Digest], of id: WorkspaceID, grace: Duration, now: Now
  ) {
    noteEnds(of: digests)
    if grace == .zero { return host.credentialsEnded(now: now) }
    // A parked poll must not outlive its token: the agent polls again with the new one.
    if grace < limits.pollWaitMax { host.endPolls(at: id, now: now) }
  }

  /// Throws if there is no room for one more token after the replaced ones have ended.
  func checkRoom(
    _ owner: TokenTable.Owner, ending: [TokenTable.Entry] = [], now: Now
  ) throws(RelayError) {
    let live = directory.tokens.liveCount(of: owner, at: now.wall) - ending.count
    guard live < limits.tokensPerWorkspaceMax else { throw .tokensFull }
  }

  func new(
    for row: RegisteredWorkspace, _ wish: TokenWish, _ origin: TokenOrigin, now: Now
  ) -> NewToken {
    make(.workspace(row.id), org: row.org, scopes: [], wish, origin, now: now)
  }

  /// Makes a token and adds it to the table, where it counts against the limits but opens nothing
  /// yet. The caller's change has to write it, and then confirm or drop it.
  func make(
    _ owner: TokenTable.Owner, org: String, scopes: RegisteredToken.Scopes, _ wish: TokenWish,
    _ origin: TokenOrigin, now: Now
  ) -> NewToken {
    let (prefix, kind, workspace) = owner.form
    var secret: String
    var digest: SHA256.Digest
    repeat {
      secret = prefix + Base64.encodeURL(random.bytes(32))
      digest = SHA256.hash(Array(secret.utf8))
    } while directory.tokens.isTaken(Self.fingerprint(digest), by: owner)
    let row = RegisteredToken(
      hash: digest.bytes, workspace: workspace, org: org, kind: kind, scopes: scopes,
      createdAt: now.wall, expiresAt: wish.life.map { now.wall + $0 },
      fingerprint: Self.fingerprint(digest), name: wish.name, origin: origin)
    let surplus = surplus(of: owner, now: now)
    journal.directory.add(row, isDurable: false)
    return NewToken(secret: secret, row: row, digest: digest, surplus: surplus)
  }

  /// Returns the owner's oldest dead tokens beyond the number that lists show.
  private func surplus(of owner: TokenTable.Owner, now: Now) -> [SHA256.Digest] {
    let dead = directory.tokens.entries(of: owner)
      .filter { $0.isDurable && !$0.row.isLive(at: now.wall) && $0.revocation != .refused }
      .sorted { ($0.row.end ?? now.wall) < ($1.row.end ?? now.wall) }
    return dead.prefix(max(0, dead.count + 1 - limits.deadTokensMax))
      .compactMap { SHA256.Digest($0.row.hash) }
  }

  private static func fingerprint(_ digest: SHA256.Digest) -> String {
    String(digest.hex.prefix(fingerprintDigits))
  }

  /// Submits the change with the workspace's row and its claim. The token becomes valid once the
  /// change is durable.
  func give(
    _ token: NewToken, to row: RegisteredWorkspace, _ change: RegistryChange, now: Now
  ) {
    var row = row
    if row.claimedAt == nil {
      row.claimedAt = now.wall
      row.claim = token.row.origin
    }
    let given = row
    let apply = change.apply
    var change = change
    change.update(given)
    change.apply = { directory in
      directory.put(given)
      token.confirm(&directory)
      apply(&directory)
    }
    submit(change, of: token)
  }

  /// Submits the change that stores the token.
  func submit(_ change: RegistryChange, of token: NewToken) {
    var change = change
    let then = change.then
    change.refused = { [unowned journal] _ in
      journal.directory.changeTokens { $0.drop(token.digest) }
    }
    change.then = { [unowned self] now in
      noteEnd(of: token.row)
      then(now)
    }
    journal.submit(change)
  }

  // MARK: revoked ones

  /// Revokes the token with the id that lists show, or all tokens. It is revoked in memory at once,
  /// and answered when that is durable.
  package func revoke(
    _ call: CallID, of id: WorkspaceID, _ fingerprint: String?, actor: String, now: Now
  ) {
    let all = directory.tokens.entries(of: .workspace(id))
    let found = all.filter {
      fingerprint == nil ? $0.row.isLive(at: now.wall) : $0.row.fingerprint == fingerprint
    }
    if fingerprint != nil, found.isEmpty {
      return replies.send(Reply(call: call, error: .notFound))
    }
    let reply = Reply(
      call: call,
      fingerprint.map { .tokenRevoked(fingerprint: $0) } ?? .tokensRevoked(count: found.count))
    // Tokens that another call has revoked without being durable yet are part of "all".
    let open = fingerprint != nil ? found : all.filter { $0.revocation != .durable }
    revoke(open, reply, actor, .tokenRevoke, .workspace(id), now: now)
  }

  func revoke(
    _ entries: [TokenTable.Entry], _ reply: Reply, _ actor: String, _ action: AuditAction,
    _ target: AuditTarget, now: Now
  ) {
    let open = entries.filter { $0.revocation != .durable }
    let digests = open.compactMap { SHA256.Digest($0.row.hash) }
    journal.directory.changeTokens { tokens in
      for digest in digests { tokens.revoke(digest, at: now.wall) }
    }
    host.credentialsEnded(now: now)
    let record = AuditEntry(
      at: now.wall, actor: actor, action: action, target: target,
      detail: entries.map(\.row.fingerprint).joined(separator: " "))
    write(TokenCare.Refused(digests: digests, record: record), reply: reply)
  }

  private func write(_ revocation: TokenCare.Refused, reply: Reply?) {
    let digests = revocation.digests
    var change = RegistryChange(reply: reply)
    if let record = revocation.record { change.audit(record) }
    for digest in digests {
      guard let row = directory.tokens.entry(digest)?.row, let at = row.revokedAt else { continue }
      change.write(.revokeToken(hash: row.hash, at: at))
    }
    change.refusal = .revocationNotStored
    change.apply = {
      $0.changeTokens { tokens in
        for digest in digests { tokens.revocation(of: digest, is: .durable) }
      }
    }
    change.refused = { [unowned self] now in
      if !digests.isEmpty { refused(revocation, now: now) }
    }
    change.then = { [unowned self] _ in noteEnds(of: digests) }
    journal.submit(change)
  }

  private func refused(_ revocation: TokenCare.Refused, now: Now) {
    log.warning(
      "revocation_not_stored",
      [
        "tokens": .number(revocation.digests.count),
        "target": .text(revocation.record?.target ?? ""),
        "workspace": .text(revocation.record?.workspace?.text ?? ""),
      ])
    journal.directory.changeTokens { tokens in
      for digest in revocation.digests { tokens.revocation(of: digest, is: .refused) }
    }
    care.refused(revocation, now: now)
  }

  // MARK: care

  /// Notes that a request has shown the token.
  package func used(_ use: TokenUse, now: Now) { care.used(use, now: now) }

  /// Notes the expiry of a token that was made elsewhere.
  func noteEnd(of token: RegisteredToken) { care.noteEnd(of: token) }

  private func noteEnds(of digests: [SHA256.Digest]) {
    for digest in digests {
      if let row = directory.tokens.entry(digest)?.row { noteEnd(of: row) }
    }
  }

  /// Notes that the durable removal of a workspace has ended its tokens.
  func noteEnds(of id: WorkspaceID) {
    for entry in directory.tokens.entries(of: .workspace(id)) { noteEnd(of: entry.row) }
  }

  /// Adds the writes that are due to the turn's transaction.
  func tick(now: Now) {
    let step = care.step(now: now, isTimeDoubtful: host.isTimeDoubtful(now)) { [journal] in
      journal.directory.tokens.entry($0)?.row.end
    }
    if !step.uses.isEmpty { journal.write(uses: step.uses) }
    for revocation in step.revocations { writeAgain(revocation) }
    if !step.dead.isEmpty { delete(step.dead) }
  }

  private func writeAgain(_ revocation: TokenCare.Refused) {
    var revocation = revocation
    revocation.digests.removeAll { !isToBeRevoked($0) }
    if !revocation.digests.isEmpty { write(revocation, reply: nil) }
  }

  private func isToBeRevoked(_ digest: SHA256.Digest) -> Bool {
    // Another call may have stored the revocation. A token that was never stored needs none.
    guard let entry = directory.tokens.entry(digest), entry.revocation == .refused else {
      return false
    }
    // The rows of a workspace that is being purged may be gone.
    return entry.row.workspace.flatMap { directory.removed[$0] }?.row.state != .purging
  }

  private func delete(_ dead: [SHA256.Digest]) {
    var change = RegistryChange(dead.map { .deleteToken(hash: $0.bytes) })
    change.apply = { $0.changeTokens { tokens in for digest in dead { tokens.drop(digest) } } }
    change.refused = { [unowned self] now in care.deletionRefused(dead, now: now) }
    journal.submit(change)
  }

  /// Takes the unwritten times of last use, at the end of the process.
  func takeUses() -> [RegistryWrite.Use] { care.takeUses() }
}
