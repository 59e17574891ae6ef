/// Gives messages to agents under fences, and knows which leases and offers are in force.
///
/// A lease is kept with its message (`Message.handOut`). This type changes it, so that the numbers
/// that it keeps beside stay true.
struct Leases {
  private let boot: UInt32
  /// The counter of the last fence given.
  private(set) var lastFence: UInt64
  /// Messages with a lease or an offer in force.
  private(set) var count = 0
  /// The leases for which a named consumer has not made a call yet.
  private var untouchedByConsumer: [String: [Seq]] = [:]

  /// `fencesAbove`: the highest counter that a queue of the same boot number has given.
  init(boot: UInt32, fencesAbove: UInt64) {
    self.boot = boot
    lastFence = fencesAbove
  }

  /// Some named consumer has made no call for a lease of its.
  var hasUntouched: Bool { !untouchedByConsumer.isEmpty }

  func untouched(of consumer: String) -> [Seq] { untouchedByConsumer[consumer] ?? [] }

  /// Gives the message to the poll, under a new fence, and returns the row of this delivery.
  /// `turn`: the driver's turn at whose end the message leaves.
  mutating func begin(
    _ message: Message, for poll: Poll, _ limits: Limits, turn: UInt64, now: Now
  ) -> HandOutRow {
    lastFence += 1
    let fence = Fence(boot: boot, counter: lastFence)
    let end = now.instant + (poll.confirm ? limits.offer : poll.lease)
    let isRedelivered = message.wasHandedOut
    message.attempt += 1
    message.wasHandedOut = true
    if message.fences.count >= limits.fencesKept { message.fences.removeFirst() }
    message.fences.append(fence)
    count += 1
    message.handOut = CurrentHandOut(
      fence: fence, poll: poll.id, consumer: poll.consumer, isOffer: poll.confirm,
      isUnconfirmed: !poll.confirm, at: now.instant, end: end, length: poll.lease,
      isRedelivered: isRedelivered, turn: turn)
    if !poll.confirm, poll.isNamed {
      untouchedByConsumer[poll.consumer, default: []].append(message.seq)
    }
    return HandOutRow(
      fence: fence, seq: message.seq, attempt: message.attempt,
      kind: poll.confirm ? .offer : .lease, consumer: poll.consumer, at: now.wall,
      leaseEnd: now.wall(at: end))
  }

  /// Goes on with the lease or the offer that the file has in `row`. It ends no earlier than
  /// `restartGrace` from now. `isClaimed`: the agent has made a call for it.
  mutating func takeOver(
    _ row: HandOutRow, _ message: Message, isClaimed: Bool, left: Duration, _ limits: Limits,
    now: Now
  ) {
    let isOffer = row.kind == .offer && !isClaimed
    message.state = isOffer ? .offered : .leased
    message.attempt = row.attempt
    count += 1
    message.handOut = CurrentHandOut(
      fence: row.fence, poll: 0, consumer: row.consumer, isOffer: isOffer,
      isUnconfirmed: row.kind == .lease && !isClaimed, at: now.instant(at: row.at),
      end: now.instant + max(min(left, limits.leaseMax), limits.restartGrace),
      length: limits.lease, isTouched: isClaimed, isAcknowledged: true, isRedelivered: true)
  }

  /// The agent has made a call for its lease or offer.
  mutating func touch(_ message: Message) {
    guard message.handOut?.isTouched == false else { return }
    forgetUntouched(message)
    message.handOut?.isTouched = true
  }

  /// The agent has taken up an offer, or extends a lease. The lease never ends earlier than the
  /// agent knows: the disk may still refuse this write, and then the agent counts on the earlier
  /// end.
  mutating func extend(_ message: Message, length: Duration, now: Now) {
    touch(message)
    message.untouchedInARow = 0
    message.handOut?.isOffer = false
    message.handOut?.isUnconfirmed = false
    message.handOut?.length = length
    let end = message.handOut?.end ?? now.instant
    message.handOut?.end = max(end, now.instant + length)
  }

  /// The lease or offer is over.
  mutating func end(_ message: Message) {
    forgetUntouched(message)
    if message.handOut != nil { count -= 1 }
    message.handOut = nil
  }

  /// The delivery never happened: its row was rolled back, or its poll went before it was answered.
  mutating func undo(_ message: Message) {
    message.attempt -= 1
    message.wasHandedOut = message.handOut?.isRedelivered ?? message.wasHandedOut
    end(message)
    _ = message.fences.popLast()
  }

  private mutating func forgetUntouched(_ message: Message) {
    guard let handOut = message.handOut, !handOut.isTouched,
      var seqs = untouchedByConsumer[handOut.consumer]
    else { return }
    seqs.removeAll { $0 == message.seq }
    untouchedByConsumer[handOut.consumer] = seqs.isEmpty ? nil : seqs
  }
}
