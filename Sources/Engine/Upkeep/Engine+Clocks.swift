package import Relay
import Store
import System

/// What the findings of the clocks lead to, and what others ask the clocks.
extension Engine {
  /// To be called at the beginning of every turn.
  package func watchClock(_ now: Now) { heed(clocks.look(now), now: now) }

  /// Compares the wall clock with the newest time in a file that is being opened.
  func compare(_ time: WallTime?, now: Now) {
    guard let time, let finding = clocks.look(written: time, now: now) else { return }
    heed([finding], now: now)
  }

  /// Compares the clocks with what relay.db was told last, before the first turn.
  func compareWithRegistry(now: Now) {
    do throws(StoreError) {
      let seen = directory.workspaces.values.compactMap(\.lastSeen).max()
      let newest = max(try data.registry.newestAt(), seen ?? WallTime(nanoseconds: 0))
      let record = try data.registry.clock()
      heed(clocks.begin(record, newest: newest, boot: data.kernelBoot, now: now), now: now)
    } catch {
      log.error("registry_failed", ["error": .text(error.description)])
      if error.isFinalForProcess { fatal = error }
    }
  }

  private func heed(_ findings: [ClockWatch.Finding], now: Now) {
    for finding in findings {
      switch finding {
      case .jumped:
        for desk in desks.values { desk.queue.expiresFrom = clocks.doubtfulUntil }
      case .unknown: break
      case .stoodStill(let gap):
        for desk in desks.values where desk.failure == nil {
          desk.queue.stoodStill(gap, now: now)
        }
      }
    }
  }

  /// Nothing that goes by the wall clock ends now.
  func isTimeDoubtful(_ now: Now) -> Bool { clocks.isDoubtful(now) }

  package func clockDoubt(_ now: Now) -> Duration { clocks.doubt(now) }

  package func credentialTime(_ now: Now) -> WallTime { clocks.credentialTime(now) }

  func clockToStore(besides count: Int, now: Now) -> ClockRecord? {
    clocks.recordToStore(besides: count, boot: data.kernelBoot, now: now)
  }

  func clockStored(_ record: ClockRecord?, _ isStored: Bool, now: Now) {
    clocks.didStore(record, isStored, now: now)
  }
}
