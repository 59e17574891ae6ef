import Relay
import Store

/// A group of functions for one kind of user of a workspace, which share the workspace's state.
protocol WorkspacePart: UsesServices {
  var workspace: Workspace { get }
}

extension WorkspacePart {
  var services: Services { workspace.services }
  var pool: WorkspacePool { workspace.pool }
  var queue: Queue { workspace.queue }
}

extension Workspace {
  /// The requests of its callers.
  var callers: WorkspaceCallers { WorkspaceCallers(workspace: self) }
  /// Its Tasks, and the callers that wait for them.
  var tasks: WorkspaceTasks { WorkspaceTasks(workspace: self) }
  /// The requests of its agents.
  var agents: WorkspaceAgents { WorkspaceAgents(workspace: self) }
  /// The requests of operators about it.
  var operators: WorkspaceOperators { WorkspaceOperators(workspace: self) }
  /// Its operations over many messages.
  var jobs: WorkspaceJobs { WorkspaceJobs(workspace: self) }
  /// The upkeep of its file: retention, the write-ahead log, free pages.
  var upkeep: WorkspaceUpkeep { WorkspaceUpkeep(workspace: self) }
}
