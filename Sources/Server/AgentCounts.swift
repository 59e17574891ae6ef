import Engine
import Relay
import System

/// Counts how many agents are online: a part of the workspaces at a time, once a second and
/// whenever somebody asks.
final class AgentCounts {
  private let engine: Engine
  private var sweep = AgentSweep()

  init(_ engine: Engine) { self.engine = engine }

  /// The counts as of the last whole pass.
  var counts: AgentSweep.Counts { sweep.counts }

  /// Looks at one more part of the workspaces.
  func advance(now: Now) {
    sweep.advance(engine.directory, offlineAfter: engine.limits.offlineAfter, now: now.wall)
  }
}
