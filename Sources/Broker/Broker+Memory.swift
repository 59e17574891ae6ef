package import Relay
import Wire

/// Answers that take much memory: who may have one, and when it is made.
extension Broker {
  /// An answer that is made in a later turn.
  typealias PutOff = (Now) -> Void

  /// Whose share of the memory the answers for this caller are.
  package func payer(of identity: Identity) -> BodyMemory.Payer {
    if identity == .anonymous { return .anonymous }
    if let known = payers[identity] { return known }
    let new = memory.newPayer(of: org(of: identity))
    payers[identity] = new
    return new
  }

  private func org(of identity: Identity) -> String? {
    switch identity {
    case .org(let org, _): org
    case .workspace(let id): directory.workspace(id)?.row.org
    case .admin, .anonymous: nil
    }
  }

  /// Answers are made from files as fast as they are asked for: beyond the bound the next one is
  /// refused, and can be asked for again.
  func checkMemory(_ payer: BodyMemory.Payer) throws(RelayError) {
    if !memory.mayAnswer(payer) { throw .memoryFull }
  }

  /// The same once it is known how large the answer will be, before it is made. What it costs
  /// beyond its bytes counts in the turn.
  func checkMemory(_ payer: BodyMemory.Payer, for view: TaskView) throws(RelayError) {
    if !memory.mayAnswer(payer, bytes: max(1, view.answerBytes)) { throw .memoryFull }
    let parts = view.turns.reduce(0) { $0 + ($1.result?.partCount ?? 0) }
    madeInTurn += parts * limits.partCostBytes
  }

  /// The reply's bytes count from now until the server takes it.
  func count(_ reply: inout Reply, for payer: BodyMemory.Payer) {
    reply.payer = payer
    reply.isCounted = true
    madeInTurn += reply.body.count
    memory.answer(reply.body.count, for: payer)
  }

  func release(_ reply: Reply) {
    if reply.isCounted { memory.answer(-reply.body.count, for: reply.payer) }
  }

  /// What a call gets instead, when its reply must not leave.
  func fail(_ replies: [Reply], _ error: RelayError) {
    for reply in replies {
      release(reply)
      outbox.append(reply.failing(error))
    }
  }

  // MARK: turns

  /// Large answers have to wait for a later turn, so that this one ends soon.
  package var isTurnFull: Bool {
    madeInTurn >= limits.turnAnswerBytesMax || !putOff.isEmpty
  }

  /// Whether the Task of a message is too large to be made in this turn.
  func mustWait(_ seq: Seq, _ desk: Desk) -> Bool {
    guard isTurnFull, !isMakingPutOff else { return false }
    guard let cached = desk.cache[seq], !desk.continued.contains(seq) else { return true }
    return cached.bytes > Self.smallAnswer
  }

  /// Bytes of an answer that is worth no turn of its own.
  private static let smallAnswer = 2 * 1024

  /// Makes an answer in a later turn, in the order of the requests of each credential; the
  /// credentials take turns, so that none waits for all that another has asked for.
  package func putOff(for payer: BodyMemory.Payer, _ work: @escaping (Now) -> Void) {
    putOff.append(work, of: payer)
  }

  /// At least one, and as many as have room in this turn.
  func makePutOff(now: Now) {
    isMakingPutOff = true
    defer { isMakingPutOff = false }
    while let work = putOff.popFirst() {
      work(now)
      if madeInTurn >= limits.turnAnswerBytesMax { return }
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
