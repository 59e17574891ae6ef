import Relay
import System

/// Watches both clocks, and decides when relay.db stores their record.
///
/// `ClockWatch` says whether the wall clock can be trusted. While the wall clock is in doubt,
/// relay.db stores the record at once; otherwise from time to time and together with other changes.
/// The next start compares the clocks with the record.
final class Clocks {
  private let limits: Limits
  private let metrics: Metrics
  private let log: Log
  private var watch: ClockWatch
  /// The record that relay.db holds.
  private var stored: ClockRecord?
  /// The instant at which a record that relay.db has refused is written again.
  private var retryAt: Instant?

  init(_ limits: Limits, _ metrics: Metrics, _ log: Log) {
    self.limits = limits
    self.metrics = metrics
    self.log = log
    watch = ClockWatch(limits)
  }

  // MARK: comparing

  /// Starts from the record in relay.db, before the first turn.
  ///
  /// - `newest`: the newest other time in relay.db; 0 if there is none.
  func begin(
    _ record: ClockRecord?, newest: WallTime, boot: String, now: Now
  ) -> [ClockWatch.Finding] {
    stored = record
    var found: [ClockWatch.Finding] = []
    if record != nil || newest.nanoseconds != 0 {
      let record = record ?? ClockRecord(newest: newest)
      if let finding = watch.begin(record, boot: boot, now: now) { found.append(finding) }
      for finding in found { note(finding, now: now) }
    }
    found += look(now)
    if let finding = look(written: newest, now: now) { found.append(finding) }
    return found
  }

  /// Compares both clocks with the last look. Called at the beginning of every turn.
  func look(_ now: Now) -> [ClockWatch.Finding] {
    let found = watch.look(now)
    for finding in found { note(finding, now: now) }
    return found
  }

  /// Compares the wall clock with a time that was stored before.
  func look(written time: WallTime, now: Now) -> ClockWatch.Finding? {
    guard let finding = watch.look(written: time, now: now) else { return nil }
    note(finding, now: now)
    return finding
  }

  private func note(_ finding: ClockWatch.Finding, now: Now) {
    switch finding {
    case .jumped(let moved):
      metrics.clockJumps += 1
      log.warning(
        "clock_jumped",
        [
          "seconds": .number(moved.nanoseconds / 1_000_000_000),
          "doubted_seconds": .number(limits.clockDoubtTime.nanoseconds / 1_000_000_000),
        ])
    case .unknown(let moved):
      log.warning(
        "clock_doubted",
        [
          "seconds": .number(moved.nanoseconds / 1_000_000_000),
          "doubted_seconds": .number(doubt(now).nanoseconds / 1_000_000_000),
        ])
    case .stoodStill(let gap):
      log.warning("stood_still", ["seconds": .number(gap.nanoseconds / 1_000_000_000)])
    }
  }

  // MARK: doubt

  /// The instant before which nothing expires by the wall clock.
  var doubtfulUntil: Instant { watch.doubtfulUntil }

  func isDoubtful(_ now: Now) -> Bool { watch.isDoubtful(now) }

  /// Returns for how long nothing will expire by the wall clock.
  func doubt(_ now: Now) -> Duration { isDoubtful(now) ? doubtfulUntil - now.instant : .zero }

  /// Returns the time that decides whether a credential has expired.
  func credentialTime(_ now: Now) -> WallTime { watch.credentialTime(now) }

  // MARK: relay.db

  func record(boot: String, now: Now) -> ClockRecord { watch.record(boot: boot, now: now) }

  /// Returns the record that relay.db has to store now, together with `count` other changes.
  func recordToStore(besides count: Int, boot: String, now: Now) -> ClockRecord? {
    if let retryAt, retryAt > now.instant { return nil }
    let record = record(boot: boot, now: now)
    if isDoubtful(now), record.doubtfulUntil != stored?.doubtfulUntil { return record }
    guard count > 0 else { return nil }
    guard let stored, stored.boot == record.boot else { return record }
    return stored.instant + limits.pulseInterval <= now.instant ? record : nil
  }

  /// Notes whether relay.db has stored the record.
  func didStore(_ record: ClockRecord?, _ isStored: Bool, now: Now) {
    guard let record else { return }
    if isStored { stored = record }
    retryAt = isStored ? nil : now.instant + limits.revocationRetry
  }
}
