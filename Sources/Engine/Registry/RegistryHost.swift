import Relay
import Store
import System

/// The engine as the registry sees it: it carries out the effects of changes, and answers what the
/// registry cannot know.
protocol RegistryHost: AnyObject {
  // MARK: events

  /// Ends the leases of a workspace whose agent has registered again: the agent no longer has the
  /// messages.
  func agentRegistered(_ id: WorkspaceID, now: Now)
  /// Updates the engine after a durable change of this workspace, which may have been paused or
  /// resumed.
  func workspaceChanged(_ id: WorkspaceID, now: Now)
  /// Answers everybody who waits for a workspace whose removal or purge is durable.
  func workspaceRemoved(_ row: RegisteredWorkspace)
  /// Brings back a removed workspace.
  func workspaceRestored(_ row: RegisteredWorkspace, now: Now)
  /// Ends the requests that are parked with a revoked token.
  func credentialsEnded(now: Now)
  /// Ends the polls of a workspace whose older tokens expire soon, so that its agent polls again.
  func endPolls(at id: WorkspaceID, now: Now)
  /// Forgets the facts about a workspace's deleted file, which a new file of this id must not
  /// inherit.
  func forgetFile(of id: WorkspaceID)
  /// Notes that the file of a workspace is deleted; its row goes next.
  func fileDeleted(_ id: WorkspaceID)
  /// Closes the file of a workspace that is being purged. Returns false if a barrier still uses its
  /// descriptor.
  func releaseFile(of id: WorkspaceID) -> Bool

  // MARK: questions

  var isShuttingDown: Bool { get }
  /// Whether a final error has ended the work of the process.
  var hasFailed: Bool { get }
  func isTimeDoubtful(_ now: Now) -> Bool
  /// Returns the time that decides whether a token has expired.
  func credentialTime(_ now: Now) -> WallTime
  /// Returns whether the workspace has ever held a message. Throws if its file cannot be read.
  func hasHadMessage(_ id: WorkspaceID, now: Now) throws(RelayError) -> Bool
  /// Returns the queue depth of the workspace, if it is known.
  func depth(of id: WorkspaceID) -> QueueDepth?
  /// Returns whether a barrier uses the descriptor of the workspace's file.
  func isBarrierBusy(with id: WorkspaceID) -> Bool

  // MARK: the transaction

  /// Returns the record of the clocks that relay.db is to store with `count` other changes.
  func clockToStore(besides count: Int, now: Now) -> ClockRecord?
  func clockStored(_ record: ClockRecord?, _ isStored: Bool, now: Now)
  /// Returns the progress of the files that relay.db is to store.
  func takeProgress(now: Now) -> [WorkspaceID: Int64]
  func progressRefused(_ noted: [WorkspaceID: Int64])
  /// Notes the progress of relay.db that a barrier has covered.
  func registryPassed(progress: Int64, now: Now)
  /// Returns whether somebody waits for a probe that is among the writes of this round.
  func probeCommitted(_ number: UInt64) -> Bool
  func probeRefused(now: Now)
  func probePassed(_ number: UInt64, now: Now)

  // MARK: failures

  /// Notes a final error of the process.
  func fail(_ error: StoreError)
  func failed(_ error: StoreError, workspace: WorkspaceID)
}
