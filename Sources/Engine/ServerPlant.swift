#if PLANTS
  import Relay
  package import System

  /// The planted faults of the negative controls of the crash tests: a test that loses nothing
  /// proves something only if it finds these. Release builds have none of this.
  package enum ServerPlant: String, CaseIterable, Sendable {
    /// Callers and agents are answered before COMMIT.
    case answerBeforeCommit = "answer-before-commit"
    /// Hand-outs leave no row.
    case dropHandOut = "drop-hand-out"
    /// A sync that fails counts as passed, and the relay goes on.
    case goOnAfterFailedSync = "go-on-after-failed-sync"
    /// What is committed is noted elsewhere before it is on the disk.
    case noteBeforeBarrier = "note-before-barrier"
  }

  extension SyncCalls {
    /// The kernel's calls, whose failures are logged and then forgotten.
    package static func ignoringFailures(_ log: Log) -> SyncCalls {
      let ignore: @Sendable (String, Int32) -> Int32 = { call, code in
        if code != 0 {
          log.warning(
            "planted_sync_failure_ignored", ["call": .text(call), "errno": .number(Int64(code))])
        }
        return 0
      }
      return SyncCalls(
        fdatasync: { ignore("fdatasync", SyncCalls.kernel.fdatasync($0)) },
        syncfs: { ignore("syncfs", SyncCalls.kernel.syncfs($0)) })
    }
  }
#endif
