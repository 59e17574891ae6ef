package import Relay
import Wire

/// One workspace, as the relay knows it in memory.
package struct WorkspaceRecord: Sendable {
  package var row: RegisteredWorkspace
  package var settings = Settings()
  /// It has or had a token: it is never unclaimed again.
  package var isClaimed: Bool { row.claimedAt != nil }
  package var lastSeen: WallTime?
  /// What its last heartbeat said.
  package var vitals: Vitals?
  /// When its agent polled the platform's feed last, since the start.
  package var polledFeedAt: WallTime?
  /// Header fields in which the card wants its callers' own credentials, in lower case: the relay
  /// stores none of them.
  package var credentials: Set<String> = []
  /// The row that became durable while the removal is pending: it counts if that is refused.
  var passed: RegisteredWorkspace?
}

/// The registry in memory: workspaces and the credentials that open them.
///
/// It changes only after the write is durable; the loop reads it for every request.
package struct Directory {
  package internal(set) var workspaces: [WorkspaceID: WorkspaceRecord] = [:]
  /// Workspaces that nobody can use: they can be restored, or their file is being deleted.
  package internal(set) var removed: [WorkspaceID: WorkspaceRecord] = [:]
  package private(set) var orgs = ["default": RegisteredOrg(id: "default", name: "default")]
  /// The workspaces in the order of their making.
  var rolls = Rolls()
  /// Workspaces that can be restored, in the order of their removal.
  var removedRolls = Rolls()
  /// What each org takes, of what all share.
  var uses = OrgUses()
  /// Cards as callers get them.
  var made = MadeCards()
  var below: [WorkspaceID: [WorkspaceID]] = [:]
  var byShort: [UInt32: [WorkspaceID]] = [:]
  var tokens = TokenTable()
  package var secrets = Secrets()
  private var admin: SHA256.Digest?

  /// Counts the changes that may matter to what a credential opens.
  package internal(set) var generation: UInt64 = 0

  /// What a secret stands for.
  package struct Credential {
    package let identity: Identity
    package let expires: WallTime?
    /// Of what the registry lists; the admin token is not among that.
    package let use: TokenUse?
  }

  package init() {}

  package init(_ snapshot: RegistrySnapshot) {
    for org in snapshot.orgs { orgs[org.id] = org }
    for row in snapshot.workspaces { put(row) }
    for token in snapshot.tokens { add(token) }
    let gone = snapshot.workspaces.filter { $0.state != .active }
    for row in gone { _ = remove(row) }
    for row in gone { tokens.confirmRemoval(of: .workspace(row.id)) }
    let known = Set(snapshot.workspaces.map(\.id))
    tokens.notePurged { !known.contains($0) }
    // Workspaces that were removed together are in the order of their making.
    let restorable = gone.filter { $0.state == .removed }.enumerated().sorted {
      ($0.element.leftAt, $0.offset) < ($1.element.leftAt, $1.offset)
    }
    for row in restorable { removedRolls.add(row.element) }
    for secret in snapshot.secrets
    where workspaces[secret.workspace] != nil || removed[secret.workspace] != nil {
      secrets.put(secret)
    }
  }

  package func workspace(_ id: WorkspaceID) -> WorkspaceRecord? { workspaces[id] }

  func isThere(_ id: WorkspaceID) -> Bool { workspaces.index(forKey: id) != nil }

  /// The workspaces that a message id may belong to.
  package func workspaces(short: UInt32) -> [WorkspaceID] { byShort[short] ?? [] }

  /// Returns who has this credential. SHA-256 hashes are compared, so that the time tells nothing.
  package func identity(ofSecret secret: String, at time: WallTime) -> Identity? {
    credential(Array(secret.utf8)[...], at: time)?.identity
  }

  package func credential(_ secret: ArraySlice<UInt8>, at time: WallTime) -> Credential? {
    let digest = SHA256.hash(Array(secret))
    if let admin, ConstantTime.equal(digest, admin) {
      return Credential(identity: .admin, expires: nil, use: nil)
    }
    guard let found = tokens.credential(digest) else { return nil }
    if let expires = found.expires, expires <= time { return nil }
    return found
  }

  package mutating func put(_ row: RegisteredWorkspace) {
    generation += 1
    // The write was pending when the workspace was removed.
    if removed[row.id] != nil {
      removed[row.id]?.passed = row
      return
    }
    let before = workspaces[row.id]
    var record = before ?? WorkspaceRecord(row: row)
    if let before { uses.remove(before.row) }
    uses.add(row)
    if before == nil {
      record.lastSeen = row.lastSeenAt
      byShort[row.id.short, default: []].append(row.id)
      rolls.add(row)
    }
    move(row.id, from: before?.row.parent, to: row.parent)
    if before?.row.card != row.card {
      record.credentials = AgentCard.credentialNames(ofCard: row.card)
    }
    record.row = row
    // The relay's own note: it changes without the row.
    if let before { record.row.nextWakeAt = before.row.nextWakeAt }
    made.drop(row.id)
    record.settings = Settings(ofRow: row)
    workspaces[row.id] = record
  }

  mutating func move(
    _ id: WorkspaceID, from old: WorkspaceID?, to new: WorkspaceID?
  ) {
    guard old != new else { return }
    if let old {
      below[old]?.removeAll { $0 == id }
      if below[old]?.isEmpty == true { below[old] = nil }
    }
    if let new { below[new, default: []].append(id) }
  }

  /// Returns the workspaces that stand right below it.
  package func children(of id: WorkspaceID) -> [WorkspaceID] { below[id] ?? [] }

  /// Returns workspaces of one org, or of all, in the order of their making.
  ///
  /// - `after`: the last one of the page before; the result is `nil` if there is no such workspace.
  /// - `areRemoved`: only those that can be restored, in the order of their removal.
  package func page(
    after: WorkspaceID?, _ size: Int, org: String? = nil, areRemoved: Bool = false
  ) -> (ids: [WorkspaceID], hasMore: Bool)? {
    (areRemoved ? removedRolls : rolls).page(after: after, size, org: org)
  }

  package mutating func put(_ org: RegisteredOrg) { orgs[org.id] = org }

  /// - `isDurable`: until it is, it counts, and opens nothing.
  package mutating func add(_ token: RegisteredToken, isDurable: Bool = true) {
    generation += 1
    tokens.add(token, isDurable: isDurable)
  }

  /// Changes tokens: what was recognised before is looked up anew.
  mutating func changeTokens(_ change: (inout TokenTable) -> Void) {
    generation += 1
    change(&tokens)
  }

  package mutating func revoke(_ hash: [UInt8], at time: WallTime) {
    guard let digest = SHA256.Digest(hash) else { return }
    changeTokens { $0.revoke(digest, at: time) }
  }

  /// The admin token is not in the registry: it is in a file, or in the environment.
  package mutating func setAdmin(secret: String) {
    generation += 1
    admin = SHA256.hash(Array(secret.utf8))
  }

  package mutating func seen(_ id: WorkspaceID, at time: WallTime) {
    workspaces[id]?.lastSeen = time
  }

  mutating func polledFeed(_ id: WorkspaceID, at time: WallTime) {
    workspaces[id]?.polledFeedAt = time
  }

  package mutating func beat(_ id: WorkspaceID, _ vitals: Vitals) {
    workspaces[id]?.vitals = vitals
  }

  /// What relay.db is to say of when something comes due; `nil`: that is not known.
  mutating func setWake(_ id: WorkspaceID, _ time: WallTime?) {
    workspaces[id]?.row.nextWakeAt = time
    removed[id]?.row.nextWakeAt = time
  }
}
