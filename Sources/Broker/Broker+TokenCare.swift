package import Relay
import Store
import System
import Wire

/// Tokens used since their times were written last.
struct TokenUses {
  var waiting: [TokenUse] = []
  var due: Instant?
}

/// Revocations that hold in memory and not yet on the disk.
struct RevocationsToStore {
  struct Refused {
    var digests: [SHA256.Digest]
    /// The line of the audit that was refused with them.
    var record: AuditEntry?
  }
  var waiting: [Refused] = []
  var due: Instant?
}

/// When a dead token is deleted, unless it has been given another end since.
struct TokenDeath: Comparable {
  var at: WallTime
  var digest: SHA256.Digest
  static func < (left: TokenDeath, right: TokenDeath) -> Bool { left.at < right.at }
  static func == (left: TokenDeath, right: TokenDeath) -> Bool { left.at == right.at }
}

/// What is done for tokens by and by, and nobody waits for.
extension Broker {
  /// Rows in one transaction of it.
  private static let careRows = 500

  /// A request has shown the token.
  package func used(_ use: TokenUse, now: Now) {
    use.at = now.wall
    guard !use.isWaiting else { return }
    use.isWaiting = true
    tokenUses.waiting.append(use)
    if tokenUses.due == nil { tokenUses.due = now.instant + limits.tokenUseWrite }
  }

  func keepTokens(now: Now) {
    if let due = tokenUses.due, due <= now.instant {
      registryBatch.append(.touchTokens(takeUses()))
      // The rest at once, in turns of their own.
      tokenUses.due = tokenUses.waiting.isEmpty ? nil : now.instant
    }
    if let due = revocations.due, due <= now.instant { storeRevocations() }
    deleteDead(now: now)
  }

  private func takeUses() -> [RegistryWrite.Use] {
    let uses = tokenUses.waiting.prefix(Self.careRows)
    tokenUses.waiting.removeFirst(uses.count)
    return uses.compactMap { use in
      use.isWaiting = false
      return use.at.map { RegistryWrite.Use(hash: use.hash, at: $0) }
    }
  }

  /// At the end of the process, in as many transactions as it takes.
  func writeAllUses() throws(StoreError) {
    while !tokenUses.waiting.isEmpty { try data.registry.commit([.touchTokens(takeUses())]) }
  }

  // MARK: revocations

  func revocationRefused(_ digests: [SHA256.Digest], _ record: AuditEntry?, now: Now) {
    log.warning(
      "revocation_not_stored",
      [
        "tokens": .number(digests.count), "target": .text(record?.target ?? ""),
        "workspace": .text(record?.workspace?.text ?? ""),
      ])
    directory.changeTokens { tokens in
      for digest in digests { tokens.revocation(of: digest, is: .refused) }
    }
    revocations.waiting.append(RevocationsToStore.Refused(digests: digests, record: record))
    revocations.due = now.instant + limits.revocationRetry
  }

  private func storeRevocations() {
    let waiting = revocations.waiting
    revocations = RevocationsToStore()
    for refused in waiting {
      let digests = refused.digests.filter(isToBeRevoked)
      guard !digests.isEmpty else { continue }
      if let record = refused.record { registryBatch.append(.audit(record)) }
      writeRevocations(digests, reply: nil, record: refused.record)
    }
  }

  private func isToBeRevoked(_ digest: SHA256.Digest) -> Bool {
    // Another call may have stored it, and a token that never got there needs no end.
    guard let entry = directory.tokens.entry(digest), entry.revocation == .refused else {
      return false
    }
    // The rows of what is purged may have gone.
    return entry.row.workspace.flatMap { directory.removed[$0] }?.row.state != .purging
  }

  // MARK: the dead

  /// A token that has an end leaves the lists some time after it.
  func noteEnd(of token: RegisteredToken) {
    guard let end = token.end, let digest = SHA256.Digest(token.hash) else { return }
    tokenDeaths.insert(TokenDeath(at: end + limits.deadTokenKept, digest: digest))
  }

  private func deleteDead(now: Now) {
    guard !isTimeDoubtful(now) else { return }
    var dead: [SHA256.Digest] = []
    while dead.count < Self.careRows, let first = tokenDeaths.first, first.at <= now.wall {
      _ = tokenDeaths.popFirst()
      guard let end = directory.tokens.entry(first.digest)?.row.end,
        end + limits.deadTokenKept <= now.wall
      else { continue }
      dead.append(first.digest)
    }
    guard !dead.isEmpty else { return }
    delete(dead)
    registryChanges.append(
      RegistryChange(
        apply: { $0.changeTokens { tokens in for digest in dead { tokens.drop(digest) } } },
        refused: { broker, now in
          for digest in dead {
            broker.tokenDeaths.insert(
              TokenDeath(at: now.wall + broker.limits.revocationRetry, digest: digest))
          }
        }))
  }

  func delete(_ digests: [SHA256.Digest]) {
    for digest in digests { registryBatch.append(.deleteToken(hash: digest.bytes)) }
  }

  /// The oldest dead ones of an owner who has more than are listed, and is to get another.
  func surplus(of owner: TokenTable.Owner, now: Now) -> [SHA256.Digest] {
    let dead = directory.tokens.entries(of: owner)
      .filter { $0.isDurable && !$0.row.isLive(at: now.wall) && $0.revocation != .refused }
      .sorted { ($0.row.end ?? now.wall) < ($1.row.end ?? now.wall) }
    return dead.prefix(max(0, dead.count + 1 - limits.deadTokensMax))
      .compactMap { SHA256.Digest($0.row.hash) }
  }
}
