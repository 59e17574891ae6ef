/// A workspace's row in the registry. The workspace's queue is in a file of its own.
package struct RegisteredWorkspace: Sendable, Equatable {
  /// The raw values are on disk: never change one.
  package enum State: UInt8, Sendable, CaseIterable {
    case active = 1
    case removed = 2
    /// The workspace's file is being deleted; the row is deleted after it.
    case purging = 3
  }

  package var id: WorkspaceID
  package var name: String
  package var org: String
  package var createdAt: WallTime
  /// The agent card as it was registered, byte for byte; empty while there is none.
  package var card: [UInt8]
  package var url: String
  /// The settings that an operator has made, as a JSON object.
  package var settings: String
  package var state: State
  package var removedAt: WallTime?
  /// When something in the workspace's file next comes due, so that idle files need not be opened;
  /// `nil` if that is unknown. Like `lastSeenAt` it is written separately from the row, see
  /// `WorkspacePulse`.
  package var nextWakeAt: WallTime?
  package var lastSeenAt: WallTime?
  /// The workspace above it, in the same org.
  package var parent: WorkspaceID?
  /// When the workspace got its first token, and who got it. From then on it is claimed, even
  /// without tokens.
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

/// The client that asked for a token.
package struct TokenOrigin: Sendable, Equatable {
  /// The holder of the credential that was shown, or `anonymous` for a claim.
  package var by: String
  /// The peer address of a claim's connection; the proxy's, if there is one in front.
  package var from: String
  /// The content of `X-Forwarded-For`. It is shown, and never trusted.
  package var via: String

  package init(by: String = "", from: String = "", via: String = "") {
    self.by = by
    self.from = from
    self.via = via
  }
}

/// The facts about a workspace that change by themselves, written now and then for many workspaces
/// at once.
package struct WorkspacePulse: Sendable, Equatable {
  package var id: WorkspaceID
  package var nextWakeAt: WallTime?
  package var lastSeenAt: WallTime?
  /// The depth of the queue in the file, valid as long as `nextWakeAt` is; `nil` if it was never
  /// counted.
  package var depth: QueueDepth?

  package init(_ workspace: RegisteredWorkspace, depth: QueueDepth? = nil) {
    self.depth = depth
    id = workspace.id
    nextWakeAt = workspace.nextWakeAt
    lastSeenAt = workspace.lastSeenAt
  }
}

/// A credential. The secret itself is stored nowhere.
package struct RegisteredToken: Sendable, Equatable {
  /// The raw values are on disk: never change one.
  package enum Kind: UInt8, Sendable, CaseIterable {
    case agent = 1
    case org = 2
    case admin = 3
  }

  /// The rights of an org key. The bits are on disk.
  package struct Scopes: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let admin = Scopes(rawValue: 1)
    package static let send = Scopes(rawValue: 2)
    package static let read = Scopes(rawValue: 4)
  }

  /// SHA-256 of the secret: 32 bytes.
  package var hash: [UInt8]
  /// The workspace of an agent's token.
  package var workspace: WorkspaceID?
  package var org: String
  package var kind: Kind
  package var scopes: Scopes
  package var createdAt: WallTime
  package var expiresAt: WallTime?
  package var lastUsedAt: WallTime?
  /// The part of the token that logs and lists show.
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

  /// When the token stops being valid; `nil` if it has no end.
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

/// A value that an operator gives an agent under a name. It is stored in plain text, so that the
/// agent can read it.
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

/// Everything in the registry, as the loop keeps it in memory.
package struct RegistrySnapshot: Sendable {
  package var orgs: [RegisteredOrg] = []
  package var workspaces: [RegisteredWorkspace] = []
  /// All tokens, revoked and expired ones included while they are listed.
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
  /// Writes every column of the row with this id.
  case updateWorkspace(RegisteredWorkspace)
  case pulses([WorkspacePulse])
  /// Deletes the row, its tokens and its secrets; the file was deleted before. Tokens that ended at
  /// `keepingTokensEnded`, together with the workspace, may stay, so that their agents are told
  /// why.
  case deleteWorkspace(WorkspaceID, keepingTokensEnded: WallTime? = nil)
  case addToken(RegisteredToken)
  /// Revokes every token of the workspace that was not revoked before.
  case revokeTokens(of: WorkspaceID, at: WallTime)
  case revokeToken(hash: [UInt8], at: WallTime)
  /// The old token of a rotation ends at a time.
  case expireToken(hash: [UInt8], at: WallTime)
  /// Notes when tokens were last used. Tokens that have been deleted meanwhile are skipped.
  case touchTokens([Use])
  case deleteToken(hash: [UInt8])
  /// Stores a new secret, or another value for one that exists.
  case putSecret(RegisteredSecret)
  case deleteSecret(WorkspaceID, key: String)
  /// Inserts a workspace from another relay, with everything that belongs to it.
  case insertRows([RegistryRow])
  case audit(AuditEntry)
  /// Deletes old lines of the audit: of the `rows` oldest ones, those that are older than `before`
  /// or that have `keep` newer lines. The newest line always stays.
  case trimAudit(before: WallTime?, keep: Int, rows: Int)
  /// Writes a row to find out whether the disk takes one.
  case probe(at: WallTime)
  case clock(ClockRecord)
  /// Stores how far the barrier has covered the workspaces' files.
  case progress([WorkspaceID: Int64])

  /// The write deletes or replaces content, which stays in the log until the log is emptied.
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
