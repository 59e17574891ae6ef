package import Relay
import Wire

/// One token while the relay runs, shared by the table and by the connections that have shown it:
/// noting a use must cost nothing that a request would feel.
package final class TokenUse {
  let hash: [UInt8]
  /// The last use; the file learns of it later.
  package internal(set) var at: WallTime?
  /// It waits to be written.
  var isWaiting = false
  /// It opens nothing any more, whoever still holds this.
  package internal(set) var isRevoked = false

  init(_ row: RegisteredToken) {
    hash = row.hash
    at = row.lastUsedAt
  }
}

/// Every token and key that the registry lists, dead ones too, by what it opens.
///
/// A new one is put in at once, so that limits count it, and opens something only when it is
/// durable. A revoked one opens nothing at once, and stays revoked if the disk refuses that.
struct TokenTable {
  /// How far a revocation has come.
  enum Revocation {
    case none, pending, refused, durable
    /// The owner's removal ends the token, and is pending.
    case removal
  }

  struct Entry {
    var row: RegisteredToken
    let credential: Directory.Credential
    let use: TokenUse
    var isDurable: Bool
    var revocation: Revocation

    /// As it is shown: what was noted since the row was written is newer.
    var shown: RegisteredToken {
      var row = row
      row.lastUsedAt = use.at
      return row
    }
  }

  /// What a token or key belongs to.
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

    /// How its tokens begin, and how they are stored.
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
  /// In the order of their making.
  private var owned: [Owner: [SHA256.Digest]] = [:]
  /// Keys of all orgs, which are named without their org.
  private var keys: [String: SHA256.Digest] = [:]
  /// Tokens of purged workspaces: they open nothing, and their agents can be told why.
  private var purged: Set<SHA256.Digest> = []
  var purgedCount: Int { purged.count }

  func entry(_ digest: SHA256.Digest) -> Entry? { entries[digest] }

  func entries(of owner: Owner) -> [Entry] { (owned[owner] ?? []).compactMap { entries[$0] } }

  /// The key that lists show by this id.
  func key(_ fingerprint: String) -> Entry? { keys[fingerprint].flatMap { entries[$0] } }

  /// Whether lists show another one by this id already.
  func isTaken(_ fingerprint: String, by owner: Owner) -> Bool {
    if case .org = owner { return keys[fingerprint] != nil }
    return entries(of: owner).contains { $0.row.fingerprint == fingerprint }
  }

  /// Returns how many count now, with those that will when they are durable.
  func liveCount(of owner: Owner, at time: WallTime) -> Int {
    entries(of: owner).count { $0.row.isLive(at: time) }
  }

  /// What it opens now.
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

  /// The end comes no later than this.
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

  /// What the owner's removal ends, by a write of its own.
  mutating func revokeAll(of owner: Owner, at time: WallTime) {
    for entry in entries(of: owner) where entry.row.revokedAt == nil {
      guard let digest = SHA256.Digest(entry.row.hash) else { continue }
      entry.use.isRevoked = true
      entries[digest]?.row.revokedAt = time
      entries[digest]?.revocation = .removal
    }
  }

  /// The removal could not be written. What became durable meanwhile stays as it is: another write
  /// may have ended a token for good.
  mutating func putBack(of owner: Owner) {
    for entry in entries(of: owner) where entry.revocation == .removal {
      guard let digest = SHA256.Digest(entry.row.hash) else { continue }
      entry.use.isRevoked = false
      entries[digest]?.row.revokedAt = nil
      entries[digest]?.revocation = .none
    }
  }

  /// The removal is on the disk.
  mutating func confirmRemoval(of owner: Owner) {
    for entry in entries(of: owner) where entry.revocation == .removal {
      guard let digest = SHA256.Digest(entry.row.hash) else { continue }
      entries[digest]?.revocation = .durable
    }
  }

  /// - `time`: those stay that ended then, as long as there are not too many of them.
  mutating func dropAll(of owner: Owner, but time: WallTime? = nil) {
    for digest in owned[owner] ?? [] {
      if let time, entries[digest]?.row.revokedAt == time {
        purged.insert(digest)
      } else {
        drop(digest)
      }
    }
  }

  /// Tokens whose workspace is not there any more, at the start.
  mutating func notePurged(_ isGone: (WorkspaceID) -> Bool) {
    for (digest, entry) in entries {
      if let id = entry.row.workspace, isGone(id) { purged.insert(digest) }
    }
  }
}
