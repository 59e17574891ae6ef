package import Relay
package import Store
import Wire

/// The queries of the server about the relay as a whole.
extension Engine {
  /// The registered workspaces and credentials.
  package var directory: Directory { _read { yield services.registry.directory } }
  package var registry: Registry { services.registry }
  package var replies: Replies { services.replies }
  package var metrics: Metrics { services.metrics }

  /// Returns the payer whose share of the memory replies to this identity take.
  package func payer(of identity: Identity) -> BodyMemory.Payer { services.payer(of: identity) }

  /// Called when tokens have been revoked, so that the server ends the polls that are parked with
  /// one.
  package var tokensEnded: (Now) -> Void {
    get { events.tokensEnded }
    set { events.tokensEnded = newValue }
  }

  package var isDiskLow: Bool { disk.isLow }

  package var room: RoomStatus? { disk.room }

  package func clockDoubt(_ now: Now) -> Duration { clocks.doubt(now) }

  package func credentialTime(_ now: Now) -> WallTime { clocks.credentialTime(now) }

  /// The reasons why sends would be refused now; empty if they would be accepted.
  package var unreadyReasons: [Readiness.Reason] { probes.unreadyReasons }

  package func barrier(now: Now) -> BarrierStatus? { probes.barrier(now: now) }

  package func levels() -> Levels { pool.levels() }

  /// Returns the workspaces in memory and their queue depths, in the order of their ids; at most
  /// `max`.
  package func depths(
    max: Int, where isShown: (WorkspaceID) -> Bool
  ) -> [(id: WorkspaceID, depth: QueueDepth)] {
    pool.depths(max: max, where: isShown)
  }

  // MARK: the start

  /// Accepts the loss of a workspace's file; call it before `start`. Returns nil if the workspace
  /// is not registered. Throws the error that SQLite reports.
  package func acceptLoss(of id: WorkspaceID, now: Now) throws(StoreError) -> AcceptedLoss? {
    try pool.acceptLoss(of: id, now: now)
  }

  /// Notes files whose workspace is not registered. `/ready` shows the number of those that hold
  /// messages.
  package func noteUnregistered(_ ids: [WorkspaceID]) { pool.noteUnregistered(ids) }

  /// Notes workspaces without a file. `/ready` names them.
  package func noteMissing(_ ids: [WorkspaceID]) { pool.noteMissing(ids) }

  #if PLANTS
    package var plant: ServerPlant? {
      get { process.plant }
      set { process.plant = newValue }
    }
  #endif
}
