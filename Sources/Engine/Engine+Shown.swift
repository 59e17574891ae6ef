package import Relay
package import Store
import Wire

/// What the server asks of the owners, for those who look at the relay from outside.
extension Engine {
  /// What is known of workspaces and credentials.
  package var directory: Directory { _read { yield services.registry.directory } }
  package var registry: Registry { services.registry }
  package var replies: Replies { services.replies }
  package var metrics: Metrics { services.metrics }

  /// Returns whose share of the memory the answers for this caller are.
  package func payer(of identity: Identity) -> BodyMemory.Payer { services.payer(of: identity) }

  /// Tokens have been revoked: whoever is parked with one is to be sent away.
  package var tokensEnded: (Now) -> Void {
    get { events.tokensEnded }
    set { events.tokensEnded = newValue }
  }

  package var isDiskLow: Bool { disk.isLow }

  package var diskState: DiskRoom.State? { disk.state }

  package var room: RoomStatus? { disk.room }

  package func clockDoubt(_ now: Now) -> Duration { clocks.doubt(now) }

  package func credentialTime(_ now: Now) -> WallTime { clocks.credentialTime(now) }

  /// Workspaces whose file a final error has closed.
  package var failedWorkspaces: [WorkspaceID] { pool.failed }

  /// Why sends would not be taken now; empty when they would.
  package var unreadyReasons: [Readiness.Reason] { probes.unreadyReasons }

  package func barrier(now: Now) -> BarrierStatus? { probes.barrier(now: now) }

  package func levels() -> Levels { pool.levels() }

  /// Workspaces in memory with what they hold, in the order of their ids; at most `max`.
  package func depths(
    max: Int, where isShown: (WorkspaceID) -> Bool
  ) -> [(id: WorkspaceID, depth: QueueDepth)] {
    pool.depths(max: max, where: isShown)
  }

  // MARK: the start

  /// Accepts the loss of a workspace's file, before `start`. Returns nil if no workspace of this id
  /// is registered. Throws what SQLite reports.
  package func acceptLoss(of id: WorkspaceID, now: Now) throws(StoreError) -> AcceptedLoss? {
    try pool.acceptLoss(of: id, now: now)
  }

  /// Notes files of workspaces that are not registered; `/ready` says how many hold messages.
  package func noteUnregistered(_ ids: [WorkspaceID]) { pool.noteUnregistered(ids) }

  /// Notes workspaces that have no file: `/ready` names them.
  package func noteMissing(_ ids: [WorkspaceID]) { pool.noteMissing(ids) }

  #if PLANTS
    package var plant: ServerPlant? {
      get { process.plant }
      set { process.plant = newValue }
    }
  #endif
}
