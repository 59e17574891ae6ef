/// Everything that the audit records of operators, agents and the relay itself, by its name there:
/// the noun, and what happened to it. docs/operators.md has the same list.
package enum AuditAction: String, Sendable, CaseIterable {
  case workspaceCreate = "workspace.create"
  case workspaceRegister = "workspace.register"
  case workspaceChange = "workspace.change"
  case workspacePause = "workspace.pause"
  case workspaceResume = "workspace.resume"
  case workspaceRemove = "workspace.remove"
  case workspaceRestore = "workspace.restore"
  case workspacePurge = "workspace.purge"
  case workspaceExport = "workspace.export"
  case workspaceImport = "workspace.import"
  case workspaceLoss = "workspace.loss"
  case cardUpdate = "card.update"
  case secretSet = "secret.set"
  case secretDelete = "secret.delete"
  case tokenMint = "token.mint"
  case tokenRotate = "token.rotate"
  case tokenRevoke = "token.revoke"
  case orgCreate = "org.create"
  case keyMint = "key.mint"
  case keyRevoke = "key.revoke"
  case messageCancel = "message.cancel"
  case messageRedrive = "message.redrive"
  case messageReplay = "message.replay"
  case jobStart = "job.start"
  case jobStop = "job.stop"
  case jobEnd = "job.end"
  case relayBackup = "relay.backup"
  case relayRestore = "relay.restore"
  case relayRollback = "relay.rollback"
}

/// The thing that the action changed.
package enum AuditTarget: Sendable, Equatable {
  case relay
  case org(String)
  case workspace(WorkspaceID)
  case message(WorkspaceID, MessageID)

  package var text: String {
    switch self {
    case .relay: "relay"
    case .org(let id): id
    case .workspace(let id): id.text
    case .message(let workspace, let id): "\(workspace.text)/\(id.text)"
    }
  }
}

/// A line of the audit: who did what. It can be understood without any other row.
package struct AuditEntry: Sendable, Equatable {
  /// The line's place in the audit, counted from 1; 0 until it is written.
  package var id: Int64 = 0
  package var at: WallTime
  package var actor: String
  package var action: String
  package var target: String
  package var detail: String
  /// The workspace that the action concerns, if it is one; unknown for entries read back.
  package var workspace: WorkspaceID?

  /// The actor of a command that works on a data directory which no relay uses.
  package static let commandLine = "command line"

  package init(
    at: WallTime, actor: String, action: AuditAction, target: AuditTarget, detail: String = ""
  ) {
    self.init(
      id: 0, at: at, actor: actor, action: action.rawValue, target: target.text, detail: detail)
    switch target {
    case .relay, .org: break
    case .workspace(let id), .message(let id, _): workspace = id
    }
  }

  /// Reads an entry back, maybe one that another version wrote.
  package init(
    id: Int64, at: WallTime, actor: String, action: String, target: String, detail: String
  ) {
    self.id = id
    self.at = at
    self.actor = actor
    self.action = action
    self.target = target
    self.detail = detail
  }
}
