package import Relay
import Wire

/// The use of one token while the relay runs. The table and the connections that have shown the
/// token share it, so that noting a use costs a request almost nothing.
package final class TokenUse {
  let hash: [UInt8]
  /// The time of the last use, which is written to relay.db later.
  package internal(set) var at: WallTime?
  /// Whether the last use waits to be written.
  var isWaiting = false
  /// Whether the token is revoked. A revoked token opens nothing, even for a connection that still
  /// holds this object.
  package internal(set) var isRevoked = false

  init(_ row: RegisteredToken) {
    hash = row.hash
    at = row.lastUsedAt
  }
}

/// All tokens and keys that the registry lists, including dead ones.
///
/// A new token is added at once, so that limits count it, but opens nothing before it is durable. A
/// revoked token opens nothing from that moment, and stays revoked if the disk refuses the write.
struct TokenTable {
  /// The progress of a revocation.
  enum Revocation {
    case none, pending, refused, durable
    /// The pending removal of the owner ends the token.
    case removal
  }

  struct Entry {
    var row: RegisteredToken
    let credential: Directory.Credential
    let use: TokenUse
    var isDurable: Bool
    var revocation: Revocation

    /// The row with the last use, which may be newer in memory.
    var shown: RegisteredToken {
      var row = row
      row.lastUsedAt = use.at
      return row
    }
  }

  /// The owner of a token or key.
  enum Owner: Hashable {
    case workspace(WorkspaceID)
    case org(String)

    init?(_ row: RegisteredToken) {
      switch row.kind {
      case .agent:
        guard let workspace = row.workspace else { return nil }
        self = .workspace(workspace)
      case .org: self = .org(row.org)
      case .admin: return nil
      }
    }

    /// The prefix of the owner's tokens, and the kind and workspace that their rows have.
    var form: (prefix: String, kind: RegisteredToken.Kind, workspace: WorkspaceID?) {
      switch self {
      case .workspace(let id): ("rtok_", .agent, id)
      case .org: ("rorg_", .org, nil)
      }
    }

    var identity: (RegisteredToken) -> Identity {
      switch self {
      case .workspace(let id): { _ in .workspace(id) }
      case .org(let org): { .org(org, $0.scopes) }
      }
    }
  }

  private var entries: [SHA256.Digest: Entry] = [:]
  /// The tokens of each owner, in the order of their creation.
  private var owned: [Owner: [SHA256.Digest]] = [:]
  /// The keys of all orgs by the ids that lists show.
  private var keys: [String: SHA256.Digest] = [:]
  /// The tokens of purged workspaces: they open nothing, and their agents learn why.
  private var purged: Set<SHA256.Digest> = []
  var purgedCount: Int { purged.count }

  func entry(_ digest: SHA256.Digest) -> Entry? { entries[digest] }

  func entries(of owner: Owner) -> [Entry] { (owned[owner] ?? []).compactMap { entries[$0] } }

  /// Returns the key with the id that lists show.
  func key(_ fingerprint: String) -> Entry? { keys[fingerprint].flatMap { entries[$0] } }

  /// Returns whether another token has the same id in lists.
  func isTaken(_ fingerprint: String, by owner: Owner) -> Bool {
    if case .org = owner { return keys[fingerprint] != nil }
    return entries(of: owner).contains { $0.row.fingerprint == fingerprint }
  }

  /// Returns the number of the owner's valid tokens, including those that are not durable yet.
  func liveCount(of owner: Owner, at time: WallTime) -> Int {
    entries(of: owner).count { $0.row.isLive(at: time) }
  }

  /// Returns the credential that the token proves now, if any.
  func credential(_ digest: SHA256.Digest) -> Directory.Credential? {
    guard let entry = entries[digest], entry.isDurable, entry.row.revokedAt == nil
    else { return nil }
    return entry.credential
  }

  mutating func add(_ row: RegisteredToken, isDurable: Bool) {
    guard let digest = SHA256.Digest(row.hash), let owner = Owner(row) else { return }
    let use = TokenUse(row)
    use.isRevoked = row.revokedAt != nil
    if entries[digest] == nil { owned[owner, default: []].append(digest) }
    purged.remove(digest)
    if case .org = owner { keys[row.fingerprint] = digest }
    entries[digest] = Entry(
      row: row,
      credential: Directory.Credential(
        identity: owner.identity(row), expires: row.expiresAt, use: use),
      use: use, isDurable: isDurable, revocation: row.revokedAt == nil ? .none : .durable)
  }

  mutating func confirm(_ digest: SHA256.Digest) { entries[digest]?.isDurable = true }

  mutating func drop(_ digest: SHA256.Digest) {
    guard let entry = entries.removeValue(forKey: digest), let owner = Owner(entry.row)
    else { return }
    purged.remove(digest)
    entry.use.isRevoked = true
    if case .org = owner { keys[entry.row.fingerprint] = nil }
    owned[owner]?.removeAll { $0 == digest }
    if owned[owner]?.isEmpty == true { owned[owner] = nil }
  }

  mutating func revoke(_ digest: SHA256.Digest, at time: WallTime) {
    guard let entry = entries[digest] else { return }
    entry.use.isRevoked = true
    if entry.row.revokedAt == nil { entries[digest]?.row.revokedAt = time }
    entries[digest]?.revocation = .pending
  }

  mutating func revocation(of digest: SHA256.Digest, is now: Revocation) {
    entries[digest]?.revocation = now
  }

  /// Sets the token's expiry to `time`, unless it is earlier already.
  mutating func expire(_ digest: SHA256.Digest, at time: WallTime) {
    guard let entry = entries[digest], entry.row.expiresAt ?? time >= time else { return }
    entries[digest]?.row.expiresAt = time
    entries[digest] = entries[digest].map {
      Entry(
        row: $0.row,
        credential: Directory.Credential(
          identity: $0.credential.identity, expires: time, use: $0.use),
        use: $0.use, isDurable: $0.isDurable, revocation: $0.revocation)
    }
  }

  /// Marks the owner's tokens as ended by its removal, which is a write of its own.
  mutating func revokeAll(of owner: Owner, at time: WallTime) {
    for entry in entries(of: owner) where entry.row.revokedAt == nil {
      guard let digest = SHA256.Digest(entry.row.hash) else { continue }
      entry.use.isRevoked = true
      entries[digest]?.row.revokedAt = time
      entries[digest]?.revocation = .removal
    }
  }

  /// Takes back a removal that could not be written. Tokens whose own revocation became durable
  /// meanwhile stay revoked.
  mutating func putBack(of owner: Owner) {
    for entry in entries(of: owner) where entry.revocation == .removal {
      guard let digest = SHA256.Digest(entry.row.hash) else { continue }
      entry.use.isRevoked = false
      entries[digest]?.row.revokedAt = nil
      entries[digest]?.revocation = .none
    }
  }

  /// Marks the tokens that a removal has ended as durably revoked.
  mutating func confirmRemoval(of owner: Owner) {
    for entry in entries(of: owner) where entry.revocation == .removal {
      guard let digest = SHA256.Digest(entry.row.hash) else { continue }
      entries[digest]?.revocation = .durable
    }
  }

  /// Removes the owner's tokens.
  ///
  /// - `time`: keeps the tokens that ended at this time, up to a limit.
  mutating func dropAll(of owner: Owner, but time: WallTime? = nil) {
    for digest in owned[owner] ?? [] {
      if let time, entries[digest]?.row.revokedAt == time {
        purged.insert(digest)
      } else {
        drop(digest)
      }
    }
  }

  /// Notes, at the start, the tokens whose workspace no longer exists.
  mutating func notePurged(_ isGone: (WorkspaceID) -> Bool) {
    for (digest, entry) in entries {
      if let id = entry.row.workspace, isGone(id) { purged.insert(digest) }
    }
  }
}
