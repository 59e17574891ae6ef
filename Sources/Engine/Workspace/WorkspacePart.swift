import Relay
import Store

/// One side of a workspace: functions that share what the workspace holds.
protocol WorkspacePart: UsesServices {
  var workspace: Workspace { get }
}

extension WorkspacePart {
  var services: Services { workspace.services }
  var pool: WorkspacePool { workspace.pool }
  var queue: Queue { workspace.queue }
}

extension Workspace {
  /// What callers ask of it.
  var callers: WorkspaceCallers { WorkspaceCallers(workspace: self) }
  /// Its Tasks, and who waits for them.
  var tasks: WorkspaceTasks { WorkspaceTasks(workspace: self) }
  /// What its agents ask of it.
  var agents: WorkspaceAgents { WorkspaceAgents(workspace: self) }
  /// What operators ask of it.
  var operators: WorkspaceOperators { WorkspaceOperators(workspace: self) }
  /// Its operations over many messages.
  var jobs: WorkspaceJobs { WorkspaceJobs(workspace: self) }
  /// The care of its file: retention, the write-ahead log, free pages.
  var upkeep: WorkspaceUpkeep { WorkspaceUpkeep(workspace: self) }
}
