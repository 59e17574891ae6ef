@testable import Relay

/// A queue with message 1 in a state of choice, brought there by the verbs alone.
final class Stage {
  var limits = Limits()
  let queue: Queue
  var now = Now(
    instant: Instant(nanoseconds: 1_000_000_000_000), wall: WallTime(nanoseconds: 1_000_000_000))
  var polls: UInt64 = 100
  var calls: UInt64 = 1000
  /// What the last verb left to do.
  var actions: [Action] = []
  /// What a verb answered by itself.
  var isWithdrawn: Bool?
  var hold: HoldEnd?

  init(attempts: Int = 5, offersInARow: Int = 3) {
    limits.attempts = attempts
    limits.offersInARow = offersInARow
    queue = Queue(limits: limits, boot: 1, seed: 1)
  }

  var message: Message? { queue.message(1) }
  var fence: Fence { message?.fences.last ?? Fence(number: 77) }

  func call() -> CallID {
    calls += 1
    return calls
  }

  var takes = 0

  func take() {
    takes += 1
    actions = queue.actions
    queue.actions = []
  }

  static func new(_ seq: Seq, task: Seq, now: Now, limits: Limits) -> NewMessage {
    NewMessage(
      seq: seq, tag: 7, at: now.wall, expires: now.wall + limits.timeToLive, caller: "ann",
      method: 1, dialect: 1, task: task, context: "c", messageID: "m",
      dedup: UUIDBytes(high: 0, low: UInt64(seq)), rpcID: [], head: [1], body: [2, 3],
      isImmediate: false)
  }

  func arrive(task: Seq? = nil) {
    let seq = queue.nextSeq()
    queue.arrive(Self.new(seq, task: task ?? seq, now: now, limits: limits), now: now)
    queue.attach(seq)
    take()
  }

  /// Reports what is on its way as durable.
  func durable() {
    let reports = actions.compactMap { if case .report(let report) = $0 { report } else { nil } }
    queue.turnEnded()
    queue.durable(reports, now: now)
    take()
  }

  /// Reports what is on its way as rolled back.
  func refused() {
    let reports = actions.compactMap { if case .report(let report) = $0 { report } else { nil } }
    queue.turnEnded()
    queue.refused(reports, now: now)
    take()
  }

  func store() {
    arrive()
    durable()
  }

  func poll(confirm: Bool = false, consumer: String = "ada", isNamed: Bool = false) {
    polls += 1
    queue.poll(
      Poll(
        id: polls, max: 1, bytesMax: 1000, lease: .seconds(60), confirm: confirm,
        consumer: consumer, isNamed: isNamed, deadline: now.instant + .seconds(25)),
      now: now, isGone: { _ in true })
    take()
    queue.turnEnded()
  }

  /// The peer of the last poll's answer never acknowledged it.
  func loseHandOut() {
    queue.handOutDelivered(polls, seqs: [1], received: false, now: now)
    take()
  }

  func pass(_ duration: Duration) {
    now = Now(instant: now.instant + duration, wall: now.wall + duration)
    queue.tick(now: now)
    take()
  }

  func result(_ fence: Fence? = nil, hash: UInt64 = 1, state: TaskState = .completed) {
    queue.result(
      AgentResultCall(
        call: call(), fence: fence ?? self.fence, hash: UUIDBytes(high: 0, low: hash), body: [9],
        state: state),
      1, now: now)
    take()
  }

  func release(_ fence: Fence? = nil) {
    queue.release(
      call(), 1, fence ?? self.fence, delay: .zero, reason: "", now: now)
    take()
  }

  func close(_ reason: EndReason = .cancelledByOperator) {
    queue.close(call(), 1, reason, now: now)
    take()
  }

  func redrive() {
    queue.redrive(call(), 1, note: [], now: now)
    take()
  }

  var redriveReplies: [RedriveReply] {
    actions.compactMap { if case .redriveReply(_, let reply) = $0 { reply } else { nil } }
  }

  var replies: [AgentReply] {
    actions.compactMap { if case .reply(_, let reply, _) = $0 { reply } else { nil } }
  }

  var cancelReplies: [CancelReply] {
    actions.compactMap { if case .cancelReply(_, let reply) = $0 { reply } else { nil } }
  }

  var entries: [HandOut] {
    actions.flatMap { if case .handOut(_, let entries) = $0 { entries } else { [HandOut]() } }
  }

  var writes: [Write] {
    actions.compactMap {
      switch $0 {
      case .write(let write), .lazy(let write): write
      default: nil
      }
    }
  }
}
