import Relay

/// The probe of `/ready`, which commits a row to find out whether rows can be committed.
///
/// A caller that asks while a row is pending, or soon after, shares its outcome, so that probes
/// cost the disk at most one sync a second. The probe is notified of its row's progress, and
/// returns the callers that have to be answered.
struct ReadyProbe {
  enum Outcome: Equatable {
    /// The row was on the disk this long after it was requested.
    case passed(Duration)
    case refused
    /// The row's barrier has not reported in time.
    case slow
  }

  /// A caller, and the identity that decides which names the response shows.
  struct Caller: Equatable {
    var call: CallID
    var reader: Identity
  }

  /// The consequence of a request.
  enum Step: Equatable {
    /// The caller is answered now.
    case answer
    /// The caller waits, and a row has to be committed.
    case commit
    /// The caller waits for the pending row.
    case wait
  }

  /// The time for which an outcome is shared.
  private let interval: Duration
  /// The time for which callers wait for an outcome.
  private let waitMax: Duration
  private var waiting: [Caller] = []
  /// The instant at which the pending row was requested.
  private var started: Instant?
  /// The commit round of the pending row, once it is committed.
  private var round: UInt64?
  private(set) var last: (outcome: Outcome, at: Instant)?

  init(_ limits: Limits) {
    interval = limits.probeInterval
    waitMax = limits.probeTime
  }

  /// Handles a request.
  ///
  /// - `canCommit`: the relay is running, so that a row can have an outcome.
  mutating func asked(_ caller: Caller, canCommit: Bool, now: Instant) -> Step {
    let isKnown = last.map { $0.at + interval > now } ?? false
    guard canCommit, !isKnown || started != nil else { return .answer }
    waiting.append(caller)
    guard started == nil else { return .wait }
    started = now
    return .commit
  }

  /// Notes that the registry's changes were committed in round `number`. Returns whether the row is
  /// one of them.
  mutating func committed(in number: UInt64) -> Bool {
    guard started != nil, round == nil else { return false }
    round = number
    return true
  }

  /// Notes that the registry's changes were refused, and returns the callers to answer. A row among
  /// the changes is given up; the next caller tries again.
  mutating func refused(now: Instant) -> [Caller] {
    guard started != nil, round == nil else { return [] }
    return end(.refused, now: now)
  }

  /// Notes that the barrier of round `number` has passed, and returns the callers to answer.
  mutating func passed(_ number: UInt64, now: Instant) -> [Caller] {
    guard let started, round == number else { return [] }
    return end(.passed(now - started), now: now)
  }

  /// The instant at which waiting callers are answered that the row takes too long.
  var nextDue: Instant? { waiting.isEmpty ? nil : started.map { $0 + waitMax } }

  /// Returns the callers that have waited too long. The row stays pending without them.
  mutating func tick(now: Instant) -> [Caller] {
    guard let due = nextDue, due <= now else { return [] }
    last = (.slow, now)
    return takeWaiting()
  }

  private mutating func end(_ outcome: Outcome, now: Instant) -> [Caller] {
    last = (outcome, now)
    started = nil
    round = nil
    return takeWaiting()
  }

  private mutating func takeWaiting() -> [Caller] {
    defer { waiting = [] }
    return waiting
  }
}
