import Relay

/// The state of a workspace in the turns of the engine.
struct WorkspaceTurn {
  /// Whether the end of this turn commits the workspace.
  var isTouched = false
  /// The instant since which its transaction has waited for the running barrier.
  var waitsSince: Instant?
  /// The instant at which a transaction is tried again that waits for another file to be closed.
  var blockedUntil: Instant?
  /// Whether the next barrier has to sync the workspace's commits so that its file can be closed.
  var wantsSync = false
  /// Whether somebody has used the workspace since its last turn ended.
  var isUsed = false
  /// Whether the file is the first to be closed, because the sweep opened it or nobody needs it.
  var isClosedNext = false

  #if PLANTS
    /// The instant at which an injected fault commits what it has answered before.
    var plantDue: Instant?
  #endif
}
