import Relay
import System
import Wire

/// Schedules the writes about tokens that nobody waits for: the times of their last use,
/// revocations that the disk has refused, and the deletion of dead tokens.
struct TokenCare {
  /// A revocation that takes effect in memory and that the disk has refused.
  struct Refused {
    var digests: [SHA256.Digest]
    /// The audit line that was refused with the revocation.
    var record: AuditEntry?
  }

  /// The writes of one turn.
  struct Step {
    var uses: [RegistryWrite.Use] = []
    var revocations: [Refused] = []
    var dead: [SHA256.Digest] = []
  }

  /// The time at which a dead token is deleted, unless its expiry has changed since.
  private struct Death: Comparable {
    var at: WallTime
    var digest: SHA256.Digest
    static func < (left: Death, right: Death) -> Bool { left.at < right.at }
    static func == (left: Death, right: Death) -> Bool { left.at == right.at }
  }

  private let useWrite: Duration
  private let retry: Duration
  private let deadKept: Duration
  private var uses: [TokenUse] = []
  private var usesDue: Instant?
  private var refused: [Refused] = []
  private var refusedDue: Instant?
  private var deaths = Heap<Death>()

  init(_ limits: Limits) {
    useWrite = limits.tokenUseWrite
    retry = limits.revocationRetry
    deadKept = limits.deadTokenKept
  }

  /// The instant at which uses or revocations are written.
  var nextDue: Instant? { usesDue?.orEarlier(refusedDue) ?? refusedDue }

  /// The time at which the next dead token is deleted.
  var nextDeath: WallTime? { deaths.first?.at }

  var deathCount: Int { deaths.count }

  /// Notes that a request has shown the token.
  mutating func used(_ use: TokenUse, now: Now) {
    use.at = now.wall
    guard !use.isWaiting else { return }
    use.isWaiting = true
    uses.append(use)
    if usesDue == nil { usesDue = now.instant + useWrite }
  }

  /// Notes a revocation that could not be written and has to be tried again.
  mutating func refused(_ revocation: Refused, now: Now) {
    refused.append(revocation)
    refusedDue = now.instant + retry
  }

  /// Notes the expiry of a token, if it has one. Some time later the token leaves the lists.
  mutating func noteEnd(of token: RegisteredToken) {
    guard let end = token.end, let digest = SHA256.Digest(token.hash) else { return }
    deaths.insert(Death(at: end + deadKept, digest: digest))
  }

  /// Notes tokens whose deletion could not be written and has to be tried again.
  mutating func deletionRefused(_ digests: [SHA256.Digest], now: Now) {
    for digest in digests { deaths.insert(Death(at: now.wall + retry, digest: digest)) }
  }

  /// Takes the writes that are due.
  ///
  /// - `isTimeDoubtful`: the clock may be wrong, so that no token is deleted by it.
  /// - `end`: returns the current expiry of a token; `nil` if the token no longer exists.
  mutating func step(
    now: Now, isTimeDoubtful: Bool, end: (SHA256.Digest) -> WallTime?
  ) -> Step {
    var step = Step()
    if let due = usesDue, due <= now.instant {
      step.uses = takeUses()
      // The other uses follow at once, in turns of their own.
      usesDue = uses.isEmpty ? nil : now.instant
    }
    if let due = refusedDue, due <= now.instant {
      step.revocations = refused
      refused = []
      refusedDue = nil
    }
    guard !isTimeDoubtful else { return step }
    while step.dead.count < Limits.tokensInTransactionMax, let first = deaths.first,
      first.at <= now.wall
    {
      _ = deaths.popFirst()
      guard let end = end(first.digest), end + deadKept <= now.wall else { continue }
      step.dead.append(first.digest)
    }
    return step
  }

  /// Takes as many times of last use as one transaction holds; none when all are written.
  mutating func takeUses() -> [RegistryWrite.Use] {
    let taken = uses.prefix(Limits.tokensInTransactionMax)
    uses.removeFirst(taken.count)
    return taken.compactMap { use in
      use.isWaiting = false
      return use.at.map { RegistryWrite.Use(hash: use.hash, at: $0) }
    }
  }
}
