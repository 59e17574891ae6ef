import Relay
import Wire

/// The operators' operations in progress in a workspace.
struct JobState {
  /// The operations on one message whose write is pending.
  var operations: [CallID: RunningOperation] = [:]
  /// The calls of operators that wait for a replay to be stored, by the number of the copy.
  var replays: [Seq: CallID] = [:]
  /// The running operations over many messages.
  var runs: [JobRun] = []
  var last: JobID = 0
  /// The reads that take more than one turn.
  var scans: [Scan] = []

  /// Whether no operation needs the file.
  var isEmpty: Bool { runs.isEmpty && scans.isEmpty && replays.isEmpty }

  /// The instant of the next step of a job or a scan.
  var nextStep: Instant? {
    if !scans.isEmpty { return Instant(nanoseconds: 0) }
    return runs.lazy.compactMap(\.due).min()
  }
}

/// A read that takes more than one turn. Each call of `step` reads one page, and returns whether it
/// was the last.
struct Scan {
  var call: CallID
  var step: (Now) throws(RelayError) -> Bool
}
