import Relay
import System

/// The watch over both clocks, and what relay.db is told of them.
///
/// `ClockWatch` says whether the wall clock can be believed. Its record goes to relay.db at once
/// while the wall clock is in doubt, otherwise at times and together with other changes, so that
/// the next start can compare.
final class Clocks {
  private let limits: Limits
  private let metrics: Metrics
  private let log: Log
  private var watch: ClockWatch
  /// The record that stands in relay.db.
  private var stored: ClockRecord?
  /// A record that relay.db refused is written again then.
  private var retryAt: Instant?

  init(_ limits: Limits, _ metrics: Metrics, _ log: Log) {
    self.limits = limits
    self.metrics = metrics
    self.log = log
    watch = ClockWatch(limits)
  }

  // MARK: looks

  /// Goes on from the record in relay.db, before the first turn. `newest` is the newest time that
  /// relay.db has written down otherwise; 0 if there is none.
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

  /// Compares the wall clock with a time that was written down before.
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

  /// Nothing ends by the wall clock before then.
  var doubtfulUntil: Instant { watch.doubtfulUntil }

  func isDoubtful(_ now: Now) -> Bool { watch.isDoubtful(now) }

  /// How long nothing will end by the wall clock yet.
  func doubt(_ now: Now) -> Duration { isDoubtful(now) ? doubtfulUntil - now.instant : .zero }

  /// The time by which credentials end.
  func credentialTime(_ now: Now) -> WallTime { watch.credentialTime(now) }

  // MARK: relay.db

  func record(boot: String, now: Now) -> ClockRecord { watch.record(boot: boot, now: now) }

  /// Returns the record that relay.db is to be told now, together with `count` other changes.
  func recordToStore(besides count: Int, boot: String, now: Now) -> ClockRecord? {
    if let retryAt, retryAt > now.instant { return nil }
    let record = record(boot: boot, now: now)
    if isDoubtful(now), record.doubtfulUntil != stored?.doubtfulUntil { return record }
    guard count > 0 else { return nil }
    guard let stored, stored.boot == record.boot else { return record }
    return stored.instant + limits.pulseInterval <= now.instant ? record : nil
  }

  /// relay.db has taken the record, or refused it.
  func didStore(_ record: ClockRecord?, _ isStored: Bool, now: Now) {
    guard let record else { return }
    if isStored { stored = record }
    retryAt = isStored ? nil : now.instant + limits.revocationRetry
  }
}
