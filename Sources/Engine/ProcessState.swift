import Relay
import Store
import System

/// The state of the process as a whole: the current turn, and how the process ends.
final class ProcessState {
  private let disk: DiskGuard
  private let repeatedLog: RepeatedLog
  private let log: Log
  /// The final error of the process. When it is set, every waiting call is answered "unknown" and
  /// the process ends.
  var fatal: StoreError? {
    didSet { if fatal != nil { disk.end() } }
  }
  private(set) var isShuttingDown = false
  /// The time of the current turn.
  var turnNow = Now(instant: Instant(nanoseconds: 0), wall: WallTime(nanoseconds: 0)) {
    didSet { repeatedLog.turn(at: turnNow.instant) }
  }
  private var lastCallID: CallID = 0

  #if PLANTS
    var plant: ServerPlant?
  #endif

  init(_ disk: DiskGuard, _ repeatedLog: RepeatedLog, _ log: Log) {
    self.disk = disk
    self.repeatedLog = repeatedLog
    self.log = log
  }

  /// Returns the id for the next call or poll.
  func nextCall() -> CallID {
    lastCallID += 1
    return lastCallID
  }

  /// Notes that the process ends: from now on no caller is held.
  func shutDown() { isShuttingDown = true }

  /// Logs an error of a workspace's file, and ends the process if the error is final for it.
  func failed(_ error: StoreError, workspace: WorkspaceID) {
    if error.isFinalForProcess || error.isFinalForWorkspace {
      log.error(
        "store_failed",
        ["workspace": .text(workspace.text), "error": .text(error.description)])
    } else {
      repeatedLog.error("store_failed", workspace: workspace, error.description)
    }
    if error.isFinalForProcess { fatal = error }
  }
}
