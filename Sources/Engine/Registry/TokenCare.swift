import Relay
import System
import Wire

/// What is written about tokens at some time, and when: the times of their last use, revocations
/// that the disk has refused, and the deletion of dead ones. Nobody waits for any of it.
struct TokenCare {
  /// A revocation that holds in memory and that the disk has refused.
  struct Refused {
    var digests: [SHA256.Digest]
    /// The line of the audit that was refused with it.
    var record: AuditEntry?
  }

  /// What is to be written in this turn.
  struct Step {
    var uses: [RegistryWrite.Use] = []
    var revocations: [Refused] = []
    var dead: [SHA256.Digest] = []
  }

  /// When a dead token is deleted, unless it has been given another end since.
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

  /// When uses or revocations are to be written.
  var nextDue: Instant? { usesDue?.orEarlier(refusedDue) ?? refusedDue }

  /// When a dead token is to be deleted.
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

  /// Notes a revocation that could not be written: it is tried again.
  mutating func refused(_ revocation: Refused, now: Now) {
    refused.append(revocation)
    refusedDue = now.instant + retry
  }

  /// Notes the end of a token, if it has one: it leaves the lists some time after that.
  mutating func noteEnd(of token: RegisteredToken) {
    guard let end = token.end, let digest = SHA256.Digest(token.hash) else { return }
    deaths.insert(Death(at: end + deadKept, digest: digest))
  }

  /// Notes tokens whose deletion could not be written: it is tried again.
  mutating func deletionRefused(_ digests: [SHA256.Digest], now: Now) {
    for digest in digests { deaths.insert(Death(at: now.wall + retry, digest: digest)) }
  }

  /// Takes what is due.
  ///
  /// - `isTimeDoubtful`: no token is deleted by a clock that may be wrong.
  /// - `end`: when the token ends, as far as is known now; `nil`: there is no such token any more.
  mutating func step(
    now: Now, isTimeDoubtful: Bool, end: (SHA256.Digest) -> WallTime?
  ) -> Step {
    var step = Step()
    if let due = usesDue, due <= now.instant {
      step.uses = takeUses()
      // The rest at once, in turns of their own.
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

  /// Takes times of last use, as many as one transaction holds; none when all are written.
  mutating func takeUses() -> [RegistryWrite.Use] {
    let taken = uses.prefix(Limits.tokensInTransactionMax)
    uses.removeFirst(taken.count)
    return taken.compactMap { use in
      use.isWaiting = false
      return use.at.map { RegistryWrite.Use(hash: use.hash, at: $0) }
    }
  }
}
