package import Relay
import Wire

/// Collects every reply of the engine; there is no other way out.
///
/// It accounts for the memory that replies take, defers large replies to later turns, and keeps the
/// replies of a batch until the batch is complete.
package final class Replies {
  /// Makes a reply in a later turn.
  package typealias Deferred = (Now) -> Void

  private let limits: Limits
  private let metrics: Metrics
  private var outbox: [Reply] = []
  private var batches = Batches()
  /// The account of all bodies, which the HTTP loop shares once it runs.
  package var memory: BodyMemory
  private var payers: [Identity: BodyMemory.Payer] = [:]
  /// The bytes of the replies made since replies were taken last.
  private var bytesMade = 0
  private var deferred = FairQueue<BodyMemory.Payer, Deferred>()
  private var isMakingDeferred = false
  /// Returns whether a poll's connection has ended. The server sets it.
  package var isPeerGone: (PollID) -> Bool = { _ in false }
  /// Whether the last turn made no deferred reply because it was full before.
  private var hasSkipped = false

  init(_ limits: Limits, _ metrics: Metrics) {
    self.limits = limits
    self.metrics = metrics
    memory = BodyMemory(limits)
  }

  // MARK: sending

  /// Sends a reply, which leaves when the server takes the replies of this turn.
  package func send(_ reply: Reply) { outbox.append(reply) }

  func send(_ replies: [Reply]) { outbox += replies }

  /// Sends an error in place of replies that must not leave.
  func fail(_ replies: [Reply], _ error: RelayError) {
    for reply in replies {
      release(reply)
      send(reply.failing(error))
    }
  }

  /// Takes the replies that can leave now. Replies to parts of a batch stay until the batch is
  /// complete.
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
        // Until now the account counted the parts.
        for part in parts { release(part) }
        whole.append(answer)
      }
    }
    return whole
  }

  // MARK: batches

  /// Begins a batch. `call` is answered when all `parts` and, if `isPolling`, the poll with the
  /// batch's id are.
  func beginBatch(_ call: CallID, _ parts: [CallID], isPolling: Bool) {
    batches.begin(call, parts, isPolling: isPolling)
  }

  /// Ends a batch whose caller has gone. Returns the reply to its poll, if that was kept for the
  /// other parts. The parts themselves are still answered, to nobody.
  func endBatch(_ call: CallID) -> Reply? {
    let (poll, parts) = batches.end(call)
    if let poll { release(poll) }
    for part in parts { release(part) }
    return poll
  }

  /// Whether no batch waits for a part.
  var hasNoBatches: Bool { batches.isEmpty }

  // MARK: the account of the memory

  /// Returns the payer whose share of the memory replies to this identity take. `org` is called at
  /// most once.
  func payer(of identity: Identity, org: () -> String?) -> BodyMemory.Payer {
    if identity == .anonymous { return .anonymous }
    if let known = payers[identity] { return known }
    let new = memory.newPayer(of: org())
    payers[identity] = new
    return new
  }

  /// Throws `memoryFull` if the payer's share is used up. Replies are made from files as fast as
  /// they are requested, and can be requested again.
  func checkMemory(_ payer: BodyMemory.Payer) throws(RelayError) {
    if !memory.mayAnswer(payer) { throw .memoryFull }
  }

  /// Throws `memoryFull`, before the reply is made, if there is no room for one of this size. The
  /// reply's further cost counts in the turn.
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

  // MARK: deferred replies

  /// Whether the turn is full: large replies have to be deferred, so that the turn ends soon.
  package var isTurnFull: Bool { bytesMade >= limits.turnAnswerBytesMax || !deferred.isEmpty }

  /// Whether a large reply has to be deferred: the turn is full, and the reply is not one of those
  /// deferred before.
  var mustDefer: Bool { isTurnFull && !isMakingDeferred }

  var hasDeferred: Bool { !deferred.isEmpty }

  /// Defers a reply to a later turn. Replies to one credential keep their order; the credentials
  /// alternate, so that none waits for all replies of another.
  package func later(for payer: BodyMemory.Payer, _ work: @escaping Deferred) {
    deferred.append(work, of: payer)
  }

  /// Makes the deferred replies that have room in this turn, at least one. A turn that was full
  /// before makes none, but never two turns in a row.
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

/// A queue that serves its keys in turn, one element each.
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
