package import Relay
import Wire

/// A workspace as the registry holds it in memory.
package struct WorkspaceRecord: Sendable {
  package var row: RegisteredWorkspace
  package var settings = Settings()
  /// Whether the workspace has ever had a token; this never becomes false again.
  package var isClaimed: Bool { row.claimedAt != nil }
  package var lastSeen: WallTime?
  /// The vitals of the agent's last heartbeat.
  package var vitals: Vitals?
  /// The last time since the start at which the agent polled the platform's feed.
  package var polledFeedAt: WallTime?
  /// The header fields, in lower case, in which the card asks for callers' own credentials: the
  /// relay stores none of them.
  package var credentials: Set<String> = []
  /// The row that became durable while a removal was pending. It is used again if the removal is
  /// refused.
  var passed: RegisteredWorkspace?
}

/// The registry in memory: workspaces and the credentials that open them.
///
/// A change appears here only after its write is durable. The loop reads it for every request.
package struct Directory {
  package internal(set) var workspaces: [WorkspaceID: WorkspaceRecord] = [:]
  /// The workspaces that are removed and can be restored, or whose file is being deleted.
  package internal(set) var removed: [WorkspaceID: WorkspaceRecord] = [:]
  package private(set) var orgs = ["default": RegisteredOrg(id: "default", name: "default")]
  /// The workspaces in the order of their creation.
  var rolls = Rolls()
  /// The workspaces that can be restored, in the order of their removal.
  var removedRolls = Rolls()
  /// Each org's use of the resources that all orgs share.
  var uses = OrgUses()
  /// The rendered cards that callers get.
  var made = MadeCards()
  var below: [WorkspaceID: [WorkspaceID]] = [:]
  var byShort: [UInt32: [WorkspaceID]] = [:]
  var tokens = TokenTable()
  package var secrets = Secrets()
  private var admin: SHA256.Digest?

  /// Counts the changes that may affect what a credential opens.
  package internal(set) var generation: UInt64 = 0

  /// The identity that a secret proves, and the use of the token.
  package struct Credential {
    package let identity: Identity
    package let expires: WallTime?
    /// The token's use; `nil` for the admin token, which the registry does not list.
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
    // Workspaces that were removed together are in the order of their creation.
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

  /// Returns the workspaces that a message id may belong to.
  package func workspaces(short: UInt32) -> [WorkspaceID] { byShort[short] ?? [] }

  /// Returns the identity that owns this credential. SHA-256 hashes are compared, so that the time
  /// of the comparison reveals nothing.
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
    // Only the relay sets this time; it changes without a change of the row.
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

  /// Returns the workspaces directly below this one.
  package func children(of id: WorkspaceID) -> [WorkspaceID] { below[id] ?? [] }

  /// Returns a page of the workspaces of one org, or of all, in the order of their creation.
  ///
  /// - `after`: the last workspace of the page before; the result is `nil` if it does not exist.
  /// - `areRemoved`: returns only workspaces that can be restored, in the order of their removal.
  package func page(
    after: WorkspaceID?, _ size: Int, org: String? = nil, areRemoved: Bool = false
  ) -> (ids: [WorkspaceID], hasMore: Bool)? {
    (areRemoved ? removedRolls : rolls).page(after: after, size, org: org)
  }

  package mutating func put(_ org: RegisteredOrg) { orgs[org.id] = org }

  /// Adds a token.
  ///
  /// - `isDurable`: a token that is not durable yet counts against the limits and opens nothing.
  package mutating func add(_ token: RegisteredToken, isDurable: Bool = true) {
    generation += 1
    tokens.add(token, isDurable: isDurable)
  }

  /// Changes tokens, and has every connection look its credential up again.
  mutating func changeTokens(_ change: (inout TokenTable) -> Void) {
    generation += 1
    change(&tokens)
  }

  package mutating func revoke(_ hash: [UInt8], at time: WallTime) {
    guard let digest = SHA256.Digest(hash) else { return }
    changeTokens { $0.revoke(digest, at: time) }
  }

  /// Sets the admin token, which is in a file or in the environment, not in the registry.
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

  /// Sets the time at which something in the workspace's file is due, for relay.db; `nil`: unknown.
  mutating func setWake(_ id: WorkspaceID, _ time: WallTime?) {
    workspaces[id]?.row.nextWakeAt = time
    removed[id]?.row.nextWakeAt = time
  }
}
