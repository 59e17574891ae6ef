/// What an operator, an agent or the relay itself may have done, by the name that the audit has of
/// it: the noun, and what became of it. docs/operators.md has the same list.
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

/// What it was done to.
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

/// Who did what, in words that need no other row to be understood.
package struct AuditEntry: Sendable, Equatable {
  /// Its place in the audit, counted from 1; 0 until it is written.
  package var id: Int64 = 0
  package var at: WallTime
  package var actor: String
  package var action: String
  package var target: String
  package var detail: String
  /// Where it was done, if in one workspace; not known of what is read.
  package var workspace: WorkspaceID?

  /// Of a command that works on a data directory which no relay uses.
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

  /// As it was written, maybe by another version.
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
