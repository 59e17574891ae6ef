package import Relay
import System
import Wire

/// What is asked of a new token.
package struct TokenWish: Sendable {
  package var name: String
  /// `nil`: it has no end.
  package var life: Duration?

  package init(name: String = "", life: Duration? = nil) {
    self.name = name
    self.life = life
  }
}

/// A token that is being made; the only place where its secret is.
struct NewToken {
  var secret: String
  var row: RegisteredToken
  var digest: SHA256.Digest
  /// Dead ones that leave the list for it.
  var surplus: [SHA256.Digest]

  func confirm(_ directory: inout Directory) {
    directory.changeTokens { tokens in
      tokens.confirm(digest)
      for digest in surplus { tokens.drop(digest) }
    }
  }
}

/// The tokens of a workspace.
extension Broker {
  /// Hex digits of the hash by which logs and lists name a token.
  static let fingerprintDigits = 8

  package func mintToken(
    _ call: CallID, for id: WorkspaceID, _ wish: TokenWish, actor: String, now: Now
  ) {
    do throws(RelayError) {
      guard let row = newestRow(id) else { throw .notFound }
      try checkRoom(.workspace(id), ending: [], now: now)
      let token = newToken(for: row, wish, TokenOrigin(by: actor), now: now)
      let record = audit(
        actor, .tokenMint, .workspace(id), token.row.fingerprint, now: now)
      let reply = Reply(call: call, status: 201, body: registryJSON.minted(token, id).bytes)
      give(token, to: row, RegistryChange(reply: reply, record: record), now: now)
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }

  /// A new token in place of older ones, which count until the grace is over: of `own` for its
  /// holder, of all for an operator. One transaction: what fails leaves everything as it was.
  package func rotateTokens(
    _ call: CallID, of id: WorkspaceID, grace: Duration, own: TokenUse?, actor: String, now: Now
  ) {
    do throws(RelayError) {
      guard let row = newestRow(id) else { throw .notFound }
      let ending = directory.tokens.entries(of: .workspace(id)).filter {
        $0.row.isLive(at: now.wall) && (own == nil || $0.use === own)
      }
      try checkRoom(.workspace(id), ending: grace == .zero ? ending : [], now: now)
      let token = newToken(for: row, TokenWish(), TokenOrigin(by: actor), now: now)
      let end = now.wall + grace
      let hashes = ending.map(\.row.hash)
      for entry in ending where grace == .zero || entry.row.expiresAt ?? end >= end {
        registryBatch.append(
          grace == .zero
            ? .revokeToken(hash: entry.row.hash, at: end)
            : .expireToken(hash: entry.row.hash, at: end))
      }
      let detail =
        "\(token.row.fingerprint) for "
        + ending.map(\.row.fingerprint).joined(separator: " ")
        + ", grace \(grace.components.seconds) s"
      var change = RegistryChange(
        reply: Reply(call: call, status: 201, body: registryJSON.minted(token, id).bytes),
        record: audit(actor, .tokenRotate, .workspace(id), detail, now: now))
      change.apply = { Self.end(hashes, at: end, isAtOnce: grace == .zero, &$0) }
      change.then = { broker, now in
        broker.rotated(hashes, of: id, grace: grace, now: now)
      }
      give(token, to: row, change, now: now)
    } catch {
      replies.send(Reply(call: call, error: error))
    }
  }

  private static func end(
    _ hashes: [[UInt8]], at end: WallTime, isAtOnce: Bool, _ directory: inout Directory
  ) {
    directory.changeTokens { tokens in
      for digest in hashes.compactMap({ SHA256.Digest($0) }) {
        guard isAtOnce else {
          tokens.expire(digest, at: end)
          continue
        }
        tokens.revoke(digest, at: end)
        tokens.revocation(of: digest, is: .durable)
      }
    }
  }

  private func rotated(_ hashes: [[UInt8]], of id: WorkspaceID, grace: Duration, now: Now) {
    for digest in hashes.compactMap({ SHA256.Digest($0) }) {
      if let row = directory.tokens.entry(digest)?.row { noteEnd(of: row) }
    }
    if grace == .zero { return tokensEnded(now) }
    // A parked poll would outlive its token: its agent polls again, and is held as long as that.
    guard grace < limits.pollWaitMax, let desk = desks[id], desk.failure == nil else { return }
    desk.queue.endPolls(now: now)
    carryOut(desk, now: now)
  }

  /// One token by the id that lists show, or all. In memory at once; answered when it is durable.
  package func revokeTokens(
    _ call: CallID, of id: WorkspaceID, _ fingerprint: String?, actor: String, now: Now
  ) {
    let all = directory.tokens.entries(of: .workspace(id))
    let found = all.filter {
      fingerprint == nil ? $0.row.isLive(at: now.wall) : $0.row.fingerprint == fingerprint
    }
    if fingerprint != nil, found.isEmpty {
      return replies.send(Reply(call: call, error: .notFound))
    }
    var reply = Reply(call: call)
    if let fingerprint {
      reply.body = (["status": "revoked", "id": .string(fingerprint)] as JSON).bytes
    } else {
      reply.body = (["status": "revoked", "count": .number("\(found.count)")] as JSON).bytes
    }
    // Those that another call has revoked, and that are not on the disk yet, belong to all.
    let open = fingerprint != nil ? found : all.filter { $0.revocation != .durable }
    revoke(open, reply, actor, .tokenRevoke, .workspace(id), now: now)
  }

  func revoke(
    _ entries: [TokenTable.Entry], _ reply: Reply, _ actor: String, _ action: AuditAction,
    _ target: AuditTarget, now: Now
  ) {
    let open = entries.filter { $0.revocation != .durable }
    let digests = open.compactMap { SHA256.Digest($0.row.hash) }
    directory.changeTokens { tokens in
      for digest in digests { tokens.revoke(digest, at: now.wall) }
    }
    tokensEnded(now)
    let names = entries.map(\.row.fingerprint).joined(separator: " ")
    let record = audit(actor, action, target, names, now: now)
    writeRevocations(digests, reply: reply, record: record)
  }

  func writeRevocations(_ digests: [SHA256.Digest], reply: Reply?, record: AuditEntry?) {
    for digest in digests {
      guard let row = directory.tokens.entry(digest)?.row, let at = row.revokedAt else { continue }
      registryBatch.append(.revokeToken(hash: row.hash, at: at))
    }
    registryChanges.append(
      RegistryChange(
        apply: {
          $0.changeTokens { tokens in
            for digest in digests { tokens.revocation(of: digest, is: .durable) }
          }
        },
        reply: reply,
        refused: { broker, now in
          if !digests.isEmpty { broker.revocationRefused(digests, record, now: now) }
        },
        refusal: .revocationNotStored,
        then: { broker, _ in
          for digest in digests {
            if let row = broker.directory.tokens.entry(digest)?.row { broker.noteEnd(of: row) }
          }
        },
        record: record))
  }

  // MARK: making

  /// Whether there is room for one more, once those that end at once are gone.
  func checkRoom(
    _ owner: TokenTable.Owner, ending: [TokenTable.Entry], now: Now
  ) throws(RelayError) {
    let live = directory.tokens.liveCount(of: owner, at: now.wall) - ending.count
    guard live < limits.tokensPerWorkspaceMax else { throw .tokensFull }
  }

  func newToken(
    for row: RegisteredWorkspace, _ wish: TokenWish, _ origin: TokenOrigin, now: Now
  ) -> NewToken {
    make(.workspace(row.id), org: row.org, scopes: [], wish, origin, now: now)
  }

  /// Put into the table at once, where it counts and opens nothing; `give` or an own change of the
  /// caller has to confirm or drop it.
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
    registryBatch.append(.addToken(row))
    delete(surplus)
    directory.add(row, isDurable: false)
    return NewToken(secret: secret, row: row, digest: digest, surplus: surplus)
  }

  private static func fingerprint(_ digest: SHA256.Digest) -> String {
    String(digest.hex.prefix(fingerprintDigits))
  }

  /// Writes the workspace's row with its claim, and has the token count once that is durable.
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
    change.workspace = row.id
    change.apply = { directory in
      directory.put(given)
      token.confirm(&directory)
      apply(&directory)
    }
    change.refused = { broker, _ in broker.directory.changeTokens { $0.drop(token.digest) } }
    let then = change.then
    change.then = { broker, now in
      broker.noteEnd(of: token.row)
      then(broker, now)
    }
    registryBatch.append(.updateWorkspace(given))
    write(given, change)
  }
}
