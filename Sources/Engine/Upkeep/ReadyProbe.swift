import Relay

/// The probe of `/ready`: whether a row can be committed now, found by committing one.
///
/// A caller that asks while a row is on its way, or soon after, shares its outcome: probes cost the
/// disk no more than a sync a second, however many callers there are. The probe is told what
/// happens to its row, and returns the callers that are to be answered.
struct ReadyProbe {
  enum Outcome: Equatable {
    /// The row was on the disk so long after it was asked for.
    case passed(Duration)
    case refused
    /// The barrier of the row has not reported in time.
    case slow
  }

  /// Who asks decides what is named.
  struct Caller: Equatable {
    var call: CallID
    var reader: Identity
  }

  /// What follows from a question.
  enum Step: Equatable {
    /// The caller is answered now.
    case answer
    /// The caller waits, and a row is to be committed.
    case commit
    /// The caller waits for the row that is on its way.
    case wait
  }

  /// How long an outcome is shared.
  private let interval: Duration
  /// How long callers wait for one.
  private let waitMax: Duration
  private var waiting: [Caller] = []
  /// When the row on its way was asked for.
  private var started: Instant?
  /// The round of that row, once it is committed.
  private var round: UInt64?
  private(set) var last: (outcome: Outcome, at: Instant)?

  init(_ limits: Limits) {
    interval = limits.probeInterval
    waitMax = limits.probeTime
  }

  /// A caller asks. `canCommit`: the relay goes on, so that a row can have an outcome.
  mutating func asked(_ caller: Caller, canCommit: Bool, now: Instant) -> Step {
    let isKnown = last.map { $0.at + interval > now } ?? false
    guard canCommit, !isKnown || started != nil else { return .answer }
    waiting.append(caller)
    guard started == nil else { return .wait }
    started = now
    return .commit
  }

  /// The changes of the registry were committed in round `number`. Says whether the row is one of
  /// them.
  mutating func committed(in number: UInt64) -> Bool {
    guard started != nil, round == nil else { return false }
    round = number
    return true
  }

  /// The changes of the registry were refused. A row among them is not written any more: the next
  /// caller tries again.
  mutating func refused(now: Instant) -> [Caller] {
    guard started != nil, round == nil else { return [] }
    return end(.refused, now: now)
  }

  /// The barrier of round `number` has passed.
  mutating func passed(_ number: UInt64, now: Instant) -> [Caller] {
    guard let started, round == number else { return [] }
    return end(.passed(now - started), now: now)
  }

  /// When the callers that wait are told that the row takes too long.
  var nextDue: Instant? { waiting.isEmpty ? nil : started.map { $0 + waitMax } }

  /// Time has passed. The row stays on its way; only nobody waits for it any longer.
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
