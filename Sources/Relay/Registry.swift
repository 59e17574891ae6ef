/// A workspace as the registry knows it; its queue is in a file of its own.
package struct RegisteredWorkspace: Sendable, Equatable {
  /// The raw values are on disk: never change one.
  package enum State: UInt8, Sendable, CaseIterable {
    case active = 1
    case removed = 2
    /// Its file is being deleted; the row goes after it.
    case purging = 3
  }

  package var id: WorkspaceID
  package var name: String
  package var org: String
  package var createdAt: WallTime
  /// The agent card as it was registered, byte for byte; empty while there is none.
  package var card: [UInt8]
  package var url: String
  /// A JSON object of what an operator has set.
  package var settings: String
  package var state: State
  package var removedAt: WallTime?
  /// When something in its file next comes due, so that idle files need not be opened; `nil`: that
  /// is not known. Like `lastSeenAt` it is kept apart from the row, see `WorkspacePulse`.
  package var nextWakeAt: WallTime?
  package var lastSeenAt: WallTime?
  /// The workspace above it, in the same org.
  package var parent: WorkspaceID?
  /// When it got its first token, and whose: it is never unclaimed again, though tokens go.
  package var claimedAt: WallTime?
  package var claim = TokenOrigin()

  package init(
    id: WorkspaceID, name: String, org: String, createdAt: WallTime, card: [UInt8] = [],
    url: String = "", settings: String = "{}", state: State = .active, removedAt: WallTime? = nil,
    nextWakeAt: WallTime? = nil, lastSeenAt: WallTime? = nil, parent: WorkspaceID? = nil
  ) {
    self.id = id
    self.name = name
    self.org = org
    self.createdAt = createdAt
    self.card = card
    self.url = url
    self.settings = settings
    self.state = state
    self.removedAt = removedAt
    self.nextWakeAt = nextWakeAt
    self.lastSeenAt = lastSeenAt
    self.parent = parent
  }
}

/// Who asked for a token.
package struct TokenOrigin: Sendable, Equatable {
  /// What the credential stands for that was shown, or `anonymous` for a claim.
  package var by: String
  /// The other end of the connection of a claim; a proxy's, if one is in front.
  package var from: String
  /// What `X-Forwarded-For` said: shown, and believed by nobody.
  package var via: String

  package init(by: String = "", from: String = "", via: String = "") {
    self.by = by
    self.from = from
    self.via = via
  }
}

/// What of a workspace changes without anybody's word, written once in a while for many.
package struct WorkspacePulse: Sendable, Equatable {
  package var id: WorkspaceID
  package var nextWakeAt: WallTime?
  package var lastSeenAt: WallTime?
  /// What its file holds, as long as `nextWakeAt` counts. `nil`: nothing that was ever counted.
  package var depth: QueueDepth?

  package init(_ workspace: RegisteredWorkspace, depth: QueueDepth? = nil) {
    self.depth = depth
    id = workspace.id
    nextWakeAt = workspace.nextWakeAt
    lastSeenAt = workspace.lastSeenAt
  }
}

/// A credential; the secret itself is not kept anywhere.
package struct RegisteredToken: Sendable, Equatable {
  /// The raw values are on disk: never change one.
  package enum Kind: UInt8, Sendable, CaseIterable {
    case agent = 1
    case org = 2
    case admin = 3
  }

  /// What an org key may do. The bits are on disk.
  package struct Scopes: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let admin = Scopes(rawValue: 1)
    package static let send = Scopes(rawValue: 2)
    package static let read = Scopes(rawValue: 4)
  }

  /// SHA-256 of the secret: 32 bytes.
  package var hash: [UInt8]
  /// Of an agent's token.
  package var workspace: WorkspaceID?
  package var org: String
  package var kind: Kind
  package var scopes: Scopes
  package var createdAt: WallTime
  package var expiresAt: WallTime?
  package var lastUsedAt: WallTime?
  /// What logs and lists show of it.
  package var fingerprint: String
  package var revokedAt: WallTime?
  package var name: String
  package var origin: TokenOrigin

  package init(
    hash: [UInt8], workspace: WorkspaceID?, org: String, kind: Kind, scopes: Scopes = [],
    createdAt: WallTime, expiresAt: WallTime? = nil, lastUsedAt: WallTime? = nil,
    fingerprint: String, revokedAt: WallTime? = nil, name: String = "",
    origin: TokenOrigin = TokenOrigin()
  ) {
    precondition(hash.count == 32, "a token is stored as its SHA-256")
    self.hash = hash
    self.workspace = workspace
    self.org = org
    self.kind = kind
    self.scopes = scopes
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.lastUsedAt = lastUsedAt
    self.fingerprint = fingerprint
    self.revokedAt = revokedAt
    self.name = name
    self.origin = origin
  }

  /// From when on it counts no more; `nil`: it has no end.
  package var end: WallTime? {
    guard let revokedAt, let expiresAt else { return revokedAt ?? expiresAt }
    return min(revokedAt, expiresAt)
  }

  package func isLive(at time: WallTime) -> Bool { end.map { $0 > time } ?? true }
}

package struct RegisteredOrg: Sendable, Equatable {
  package var id: String
  package var name: String

  package init(id: String, name: String) {
    self.id = id
    self.name = name
  }
}

/// What an operator gives an agent under a name; kept as it is, so that the agent can read it.
package struct RegisteredSecret: Sendable, Equatable {
  package var workspace: WorkspaceID
  package var key: String
  package var value: String
  package var createdAt: WallTime
  package var updatedAt: WallTime

  package init(
    workspace: WorkspaceID, key: String, value: String, createdAt: WallTime, updatedAt: WallTime
  ) {
    self.workspace = workspace
    self.key = key
    self.value = value
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}

/// All that the registry holds, as the loop keeps it in memory.
package struct RegistrySnapshot: Sendable {
  package var orgs: [RegisteredOrg] = []
  package var workspaces: [RegisteredWorkspace] = []
  /// Revoked and expired ones too, while they are listed.
  package var tokens: [RegisteredToken] = []
  package var secrets: [RegisteredSecret] = []

  package init() {}
}

/// One change of the registry, as a value; a round's list is one transaction.
package enum RegistryWrite: Sendable {
  /// One use of a token, kept for "last used".
  package struct Use: Sendable {
    package var hash: [UInt8]
    package var at: WallTime

    package init(hash: [UInt8], at: WallTime) {
      self.hash = hash
      self.at = at
    }
  }

  case createOrg(RegisteredOrg)
  case createWorkspace(RegisteredWorkspace)
  /// Every column of the row, by its id.
  case updateWorkspace(RegisteredWorkspace)
  case pulses([WorkspacePulse])
  /// The row, its tokens and its secrets go; its file has gone before. Tokens that ended at a time,
  /// with the workspace, may stay: their agents are told why.
  case deleteWorkspace(WorkspaceID, keepingTokensEnded: WallTime? = nil)
  case addToken(RegisteredToken)
  /// Every token of the workspace that has not been revoked before.
  case revokeTokens(of: WorkspaceID, at: WallTime)
  case revokeToken(hash: [UInt8], at: WallTime)
  /// The old token of a rotation ends at a time.
  case expireToken(hash: [UInt8], at: WallTime)
  /// Tokens that are gone meanwhile are passed over.
  case touchTokens([Use])
  case deleteToken(hash: [UInt8])
  /// A new one, or another value for one that is there.
  case putSecret(RegisteredSecret)
  case deleteSecret(WorkspaceID, key: String)
  /// A workspace that comes from another relay, with all that belongs to it.
  case insertRows([RegistryRow])
  case audit(AuditEntry)
  /// Of the `rows` oldest lines of the audit those go that are older than `before`, or of which there
  /// are `keep` newer ones; the newest line always stays.
  case trimAudit(before: WallTime?, keep: Int, rows: Int)
  /// The row that shows whether a row can be written.
  case probe(at: WallTime)
  case clock(ClockRecord)
  /// The progress of workspaces' files that a barrier has covered.
  case progress([WorkspaceID: Int64])

  /// It deletes or replaces content, which then stands in the log until that is emptied.
  package var isBlanking: Bool {
    switch self {
    case .updateWorkspace, .deleteWorkspace, .deleteToken, .putSecret, .deleteSecret: true
    case .createOrg, .createWorkspace, .pulses, .addToken, .revokeTokens, .revokeToken,
      .expireToken, .touchTokens, .insertRows, .audit, .trimAudit, .probe,
      .clock, .progress:
      false
    }
  }
}
