import Relay
import Wire

/// The operators' operations that are at work in a workspace.
struct JobState {
  /// Operations on one message whose write is on its way.
  var operations: [CallID: RunningOperation] = [:]
  /// Operators who wait for a replay to be stored, by the number of the copy.
  var replays: [Seq: CallID] = [:]
  /// Operations over many messages.
  var runs: [JobRun] = []
  var last: JobID = 0
  /// Reading that takes more than one turn.
  var scans: [Scan] = []

  /// Whether nothing is at work that needs the file.
  var isEmpty: Bool { runs.isEmpty && scans.isEmpty && replays.isEmpty }

  /// When a job or a scan goes on.
  var nextStep: Instant? {
    if !scans.isEmpty { return Instant(nanoseconds: 0) }
    return runs.lazy.compactMap(\.due).min()
  }
}

/// Reading that takes more than one turn: each call of `step` looks at one page, and returns
/// whether that was the last.
struct Scan {
  var call: CallID
  var step: (Now) throws(RelayError) -> Bool
}
