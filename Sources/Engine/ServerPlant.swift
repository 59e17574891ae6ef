#if PLANTS
  import Relay
  package import System

  /// Injected faults, which the crash tests must detect: a test that finds no loss proves something
  /// only if it finds these. Release builds do not contain them.
  package enum ServerPlant: String, CaseIterable, Sendable {
    /// Answers callers and agents before COMMIT.
    case answerBeforeCommit = "answer-before-commit"
    /// Writes no row for deliveries.
    case dropHandOut = "drop-hand-out"
    /// Treats a failed sync as passed, so that the relay goes on.
    case goOnAfterFailedSync = "go-on-after-failed-sync"
    /// Notes commits elsewhere before they are on the disk.
    case noteBeforeBarrier = "note-before-barrier"
  }

  extension SyncCalls {
    /// Returns the kernel's sync calls with failures logged and ignored.
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
