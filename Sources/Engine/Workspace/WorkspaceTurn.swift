import Relay

/// How a workspace stands in the turns of the engine.
struct WorkspaceTurn {
  /// It is in the list of those that the end of this turn commits.
  var isTouched = false
  /// Since when its transaction waits for the barrier that is at work.
  var waitsSince: Instant?
  /// Its transaction waits until another file can be closed, and is tried again then.
  var blockedUntil: Instant?
  /// What it has committed without a barrier is to be covered by the next one, so that its file can
  /// be closed.
  var wantsSync = false
  /// Somebody has asked for it since its last turn ended.
  var isUsed = false
  /// Its file is the first to be closed: its turn had come, or it was opened for nobody.
  var isClosedNext = false

  #if PLANTS
    /// When a planted fault commits what it has answered before.
    var plantDue: Instant?
  #endif
}
