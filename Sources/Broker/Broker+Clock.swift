package import Relay
import Store
import System

/// What the broker counts, for whoever shows it.
package struct BrokerCounters: Sendable {
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
      let seen = directory.workspaces.values.compactMap(\.lastSeen).max()
      let newest = max(try data.registry.newestAt(), seen ?? WallTime(nanoseconds: 0))
      storedClock = try data.registry.clock()
      let isNew = storedClock == nil && newest.nanoseconds == 0
      let record = storedClock ?? ClockRecord(newest: newest)
      if !isNew, let finding = clock.begin(record, boot: data.kernelBoot, now: now) {
        heed(finding, now: now)
      }
      watchClock(now)
      compare(newest, now: now)
    } catch {
      log.error("registry_failed", ["error": .text(error.description)])
      if error.isFinalForProcess { fatal = error }
    }
  }

  /// How long nothing will end by the wall clock yet.
  package func clockDoubt(_ now: Now) -> Duration {
    isTimeDoubtful(now) ? clock.doubtfulUntil - now.instant : .zero
  }

  /// The time by which tokens end.
  package func credentialTime(_ now: Now) -> WallTime { clock.credentialTime(now) }

  /// What relay.db is to be told of the clocks: at once when they are doubted, otherwise at times
  /// and together with other changes.
  func clockToStore(besides count: Int, now: Now) -> ClockRecord? {
    if let clockDue, clockDue > now.instant { return nil }
    let record = clock.record(boot: data.kernelBoot, now: now)
    if clock.isDoubtful(now), record.doubtfulUntil != storedClock?.doubtfulUntil { return record }
    guard count > 0 else { return nil }
    guard let storedClock, storedClock.boot == record.boot else { return record }
    return storedClock.instant + limits.pulseInterval <= now.instant ? record : nil
  }

  func clockStored(_ record: ClockRecord?, _ isStored: Bool, now: Now) {
    guard let record else { return }
    if isStored { storedClock = record }
    clockDue = isStored ? nil : now.instant + limits.revocationRetry
  }

  private func heed(_ finding: ClockWatch.Finding, now: Now) {
    switch finding {
    case .jumped(let moved):
      metrics.clockJumps += 1
      log.warning(
        "clock_jumped",
        [
          "seconds": .number(moved.nanoseconds / 1_000_000_000),
          "doubted_seconds": .number(limits.clockDoubtTime.nanoseconds / 1_000_000_000),
        ])
      for desk in desks.values { desk.queue.expiresFrom = clock.doubtfulUntil }
    case .unknown(let moved):
      log.warning(
        "clock_doubted",
        [
          "seconds": .number(moved.nanoseconds / 1_000_000_000),
          "doubted_seconds": .number(clockDoubt(now).nanoseconds / 1_000_000_000),
        ])
    case .stoodStill(let gap):
      log.warning("stood_still", ["seconds": .number(gap.nanoseconds / 1_000_000_000)])
      for desk in desks.values where desk.failure == nil {
        desk.queue.stoodStill(gap, now: now)
      }
    }
  }
}
