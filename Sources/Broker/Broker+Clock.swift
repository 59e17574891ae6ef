package import Relay
import Store
import System

/// What the broker counts, for whoever shows it.
package struct BrokerCounters: Sendable {
  /// How often the wall clock was found to have been moved.
  package var clockJumps: UInt64 = 0
  /// Workspace files closed to make room for others.
  package var filesClosed: UInt64 = 0
}

extension Broker {
  /// To be called at the beginning of every turn.
  package func watchClock(_ now: Now) {
    for finding in clock.look(now) { heed(finding, now: now) }
  }

  /// Nothing that goes by the wall clock ends now.
  func isTimeDoubtful(_ now: Now) -> Bool { clock.isDoubtful(now) }

  /// `time` is the newest in a file that is being opened.
  func compare(_ time: WallTime?, now: Now) {
    guard let time, let finding = clock.look(written: time, now: now) else { return }
    heed(finding, now: now)
  }

  /// What relay.db was told last, before the first turn.
  func compareWithRegistry(now: Now) {
    do throws(StoreError) {
      compare(try data.registry.newestAt(), now: now)
    } catch {
      log.error("registry_failed", ["error": .text(error.description)])
      if error.isFinalForProcess { fatal = error }
    }
    compare(directory.workspaces.values.compactMap(\.lastSeen).max(), now: now)
  }

  private func heed(_ finding: ClockWatch.Finding, now: Now) {
    switch finding {
    case .jumped(let moved):
      counters.clockJumps += 1
      log.warning(
        "clock_jumped",
        [
          "seconds": .number(moved.nanoseconds / 1_000_000_000),
          "doubted_seconds": .number(limits.clockDoubtTime.nanoseconds / 1_000_000_000),
        ])
      for desk in desks.values { desk.queue.expiresFrom = clock.doubtfulUntil }
    case .stoodStill(let gap):
      log.warning("stood_still", ["seconds": .number(gap.nanoseconds / 1_000_000_000)])
      for desk in desks.values where desk.failure == nil {
        desk.queue.stoodStill(gap, now: now)
      }
    }
  }
}
