package import Relay
import Wire

/// The only way out of the engine: every answer to a call leaves through here.
///
/// It keeps the account of the memory that answers take, defers large answers to later turns, and
/// holds the answers of a batch together until the batch is whole.
package final class Replies {
  /// An answer that is made in a later turn.
  package typealias Deferred = (Now) -> Void

  private let limits: Limits
  private let metrics: Metrics
  private var outbox: [Reply] = []
  private var batches = Batches()
  /// The account of all bodies; the HTTP loop's, once there is one.
  package var memory: BodyMemory
  private var payers: [Identity: BodyMemory.Payer] = [:]
  /// Bytes of answers made since replies were taken last.
  private var bytesMade = 0
  private var deferred = FairQueue<BodyMemory.Payer, Deferred>()
  private var isMakingDeferred = false
  /// Whether a poll's connection has ended; the server knows.
  package var isPeerGone: (PollID) -> Bool = { _ in false }
  /// The last turn made no deferred answer, because it was full before.
  private var hasSkipped = false

  init(_ limits: Limits, _ metrics: Metrics) {
    self.limits = limits
    self.metrics = metrics
    memory = BodyMemory(limits)
  }

  // MARK: sending

  /// Sends a reply: it leaves when the server takes the replies of this turn.
  package func send(_ reply: Reply) { outbox.append(reply) }

  func send(_ replies: [Reply]) { outbox += replies }

  /// Sends an error in place of replies that must not leave.
  func fail(_ replies: [Reply], _ error: RelayError) {
    for reply in replies {
      release(reply)
      send(reply.failing(error))
    }
  }

  /// Takes what can leave now. Replies to parts of a batch stay until the batch is whole.
  package func take() -> [Reply] {
    let replies = outbox
    outbox = []
    bytesMade = 0
    for reply in replies {
      if let error = reply.error { metrics.refused(error) }
    }
    guard !batches.isEmpty else {
      for reply in replies { release(reply) }
      return replies
    }
    var whole: [Reply] = []
    for reply in replies {
      switch batches.resolve(reply) {
      case .alone:
        release(reply)
        whole.append(reply)
      case .kept: break
      case .unwanted: release(reply)
      case .whole(let answer, let parts):
        // The parts have stood in the account until now.
        for part in parts { release(part) }
        whole.append(answer)
      }
    }
    return whole
  }

  // MARK: batches

  /// Begins a batch: `call` is answered when all `parts` are, and the poll of its own id if it has
  /// one.
  func beginBatch(_ call: CallID, _ parts: [CallID], isPolling: Bool) {
    batches.begin(call, parts, isPolling: isPolling)
  }

  /// Ends a batch whose caller has gone. Returns what its poll was given, if it was kept back for
  /// the other parts; the parts themselves still come.
  func endBatch(_ call: CallID) -> Reply? {
    let (poll, parts) = batches.end(call)
    if let poll { release(poll) }
    for part in parts { release(part) }
    return poll
  }

  /// No batch waits for a part of it.
  var hasNoBatches: Bool { batches.isEmpty }

  // MARK: the account of the memory

  /// Returns whose share of the memory the answers for this caller are. `org` is asked for once.
  func payer(of identity: Identity, org: () -> String?) -> BodyMemory.Payer {
    if identity == .anonymous { return .anonymous }
    if let known = payers[identity] { return known }
    let new = memory.newPayer(of: org())
    payers[identity] = new
    return new
  }

  /// Throws `memoryFull` if the payer's share is used up: answers are made from files as fast as
  /// they are asked for, and can be asked for again.
  func checkMemory(_ payer: BodyMemory.Payer) throws(RelayError) {
    if !memory.mayAnswer(payer) { throw .memoryFull }
  }

  /// Throws `memoryFull` if an answer of this size has no room, before it is made. What it costs
  /// beyond its bytes counts in the turn.
  func checkMemory(_ payer: BodyMemory.Payer, for view: TaskView) throws(RelayError) {
    if !memory.mayAnswer(payer, bytes: max(1, view.answerBytes)) { throw .memoryFull }
    let parts = view.turns.reduce(0) { $0 + ($1.result?.partCount ?? 0) }
    bytesMade += parts * limits.partCostBytes
  }

  /// Counts the reply's bytes from now until the server takes it.
  func count(_ reply: inout Reply, for payer: BodyMemory.Payer) {
    reply.payer = payer
    reply.counted = reply.content.bytes
    bytesMade += reply.counted
    memory.answer(reply.counted, for: payer)
  }

  private func release(_ reply: Reply) {
    if reply.counted > 0 { memory.answer(-reply.counted, for: reply.payer) }
  }

  // MARK: answers of later turns

  /// Large answers have to wait for a later turn, so that this one ends soon.
  package var isTurnFull: Bool { bytesMade >= limits.turnAnswerBytesMax || !deferred.isEmpty }

  /// An answer that is large has to be deferred: the turn is full, and this is none of those that
  /// have waited for it.
  var mustDefer: Bool { isTurnFull && !isMakingDeferred }

  var hasDeferred: Bool { !deferred.isEmpty }

  /// Makes an answer in a later turn, in the order of the requests of each credential; the
  /// credentials take turns, so that none waits for all that another has asked for.
  package func later(for payer: BodyMemory.Payer, _ work: @escaping Deferred) {
    deferred.append(work, of: payer)
  }

  /// Makes at least one deferred answer, and as many as have room in this turn. A turn that is full
  /// before makes none, but never two turns one after the other.
  func makeDeferred(now: Now) {
    hasSkipped = !hasSkipped && bytesMade >= limits.turnAnswerBytesMax && !deferred.isEmpty
    if hasSkipped { return }
    isMakingDeferred = true
    defer { isMakingDeferred = false }
    while let work = deferred.popFirst() {
      work(now)
      if bytesMade >= limits.turnAnswerBytesMax { return }
    }
  }
}

/// A queue in which everybody who has something waiting takes turns.
struct FairQueue<Key: Hashable, Element> {
  private var waiting: [Key: [Element]] = [:]
  private var order: [Key] = []

  var isEmpty: Bool { order.isEmpty }

  mutating func append(_ element: Element, of key: Key) {
    if waiting[key] == nil { order.append(key) }
    waiting[key, default: []].append(element)
  }

  mutating func popFirst() -> Element? {
    guard !order.isEmpty else { return nil }
    let key = order.removeFirst()
    guard let first = waiting[key]?.removeFirst() else { return nil }
    if waiting[key]?.isEmpty == true { waiting[key] = nil } else { order.append(key) }
    return first
  }
}
