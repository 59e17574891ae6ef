import Relay
import Store
import System

/// The engine as the registry sees it: it carries out what follows from a change, and answers what
/// the registry cannot know.
protocol RegistryHost: AnyObject {
  // MARK: events

  /// The agent of a workspace has registered again: it has nothing of what was leased to it.
  func agentRegistered(_ id: WorkspaceID, now: Now)
  /// A change that is about this workspace is durable: it may have been paused or resumed.
  func workspaceChanged(_ id: WorkspaceID, now: Now)
  /// The removal, or the purge, of a workspace is durable: whoever waits for it is answered.
  func workspaceRemoved(_ row: RegisteredWorkspace)
  /// A removed workspace is back.
  func workspaceRestored(_ row: RegisteredWorkspace, now: Now)
  /// Tokens have been revoked: requests that are parked with one have to end.
  func credentialsEnded(now: Now)
  /// Older tokens of a workspace end soon: its agent has to poll again.
  func endPolls(at id: WorkspaceID, now: Now)
  /// The file of a workspace is deleted: what is known of the old one does not hold for a new one.
  func forgetFile(of id: WorkspaceID)
  /// The file of a workspace has been deleted; its row goes next.
  func fileDeleted(_ id: WorkspaceID)
  /// Closes the file of a workspace that is purged. `false`: a barrier still has its descriptor.
  func releaseFile(of id: WorkspaceID) -> Bool

  // MARK: questions

  var isShuttingDown: Bool { get }
  /// A final error has ended the process's work.
  var hasFailed: Bool { get }
  func isTimeDoubtful(_ now: Now) -> Bool
  /// The time by which tokens end.
  func credentialTime(_ now: Now) -> WallTime
  /// Whether the workspace has ever held a message.
  func hasHadMessage(_ id: WorkspaceID, now: Now) throws(RelayError) -> Bool
  /// What the workspace's file holds, as far as that is known.
  func depth(of id: WorkspaceID) -> QueueDepth?
  /// Whether a barrier has the descriptor of the workspace's file.
  func isBarrierBusy(with id: WorkspaceID) -> Bool

  // MARK: the transaction

  /// What relay.db is to be told of the clocks, in a transaction with `count` other changes.
  func clockToStore(besides count: Int, now: Now) -> ClockRecord?
  func clockStored(_ record: ClockRecord?, _ isStored: Bool, now: Now)
  /// How far the files are on the disk, as relay.db is to note it.
  func takeProgress(now: Now) -> [WorkspaceID: Int64]
  func progressRefused(_ noted: [WorkspaceID: Int64])
  /// A barrier has covered what relay.db had come to.
  func registryPassed(progress: Int64, now: Now)
  /// Says whether somebody waits for a probe that is among the writes of this round.
  func probeCommitted(_ number: UInt64) -> Bool
  func probeRefused(now: Now)
  func probePassed(_ number: UInt64, now: Now)

  // MARK: failures

  /// Notes a final error of the process.
  func fail(_ error: StoreError)
  func failed(_ error: StoreError, workspace: WorkspaceID)
}
