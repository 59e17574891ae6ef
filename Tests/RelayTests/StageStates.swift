@testable import Relay

extension Stage {
  /// A stage for one cell. `twice`: message 1 has had an earlier hand-out.
  static func set(_ state: MessageState, for event: MessageEvent) -> Stage {
    let isLast = event == .lastAttemptEnd
    let isDead = state == .dead || state == .redriving
    let attempts = isLast ? 1 : isDead ? (event == .lateResult ? 2 : 1) : 5
    let stage = Stage(attempts: attempts, offersInARow: isLast ? 1 : 3)
    if event == .recovered || isLast && state == .queued { return stage }
    // An earlier fence is needed by a late result, and by an old holder of a queued message.
    // An answer that comes late leaves the newer lease's poll unheard of.
    let isTwice =
      event == .lateResult || state == .queued && isAgents(event)
      || state == .answering && event == .pollDead
    stage.bring(to: state, isTwice: isTwice, isOffer: event == .offerEnd)
    return stage
  }

  static func isAgents(_ event: MessageEvent) -> Bool {
    switch event {
    case .claim, .extend, .release: true
    default: false
    }
  }

  private func bring(to state: MessageState, isTwice: Bool, isOffer: Bool) {
    arrive()
    if state == .storing { return }
    durable()
    if state == .withdrawing {
      _ = queue.withdraw(1, now: now)
      return take()
    }
    if isTwice {
      poll()
      release()
    }
    switch state {
    case .storing, .queued, .withdrawing: break
    case .offered: poll(confirm: true)
    case .leased: poll()
    case .answering:
      poll(confirm: isOffer)
      result(message?.fences.first)
    case .answered:
      poll()
      result()
      durable()
    case .closing:
      poll(confirm: isOffer)
      close()
    case .redriving:
      poll()
      pass(.seconds(61))
      durable()
      redrive()
    case .dead:
      poll()
      pass(.seconds(61))
      durable()
    case .expired:
      poll()
      pass(limits.timeToLive)
      durable()
    case .cancelled:
      poll()
      close()
      durable()
    }
  }

  /// Makes the event happen through the verb that brings it.
  func apply(_ event: MessageEvent, in state: MessageState) {
    let before = takes
    switch event {
    case .durable: durable()
    case .refused: refuse(state)
    case .offer, .poll: poll(confirm: event == .offer)
    case .pollDead:
      queue.handOutDelivered(polls, seqs: [1], received: false, now: now)
    case .claim: queue.claim(call(), 1, fence, now: now)
    case .extend: queue.extend(call(), 1, fence, length: .seconds(90), now: now)
    case .release: release()
    case .result, .repeatedResult: result()
    case .otherResult: result(hash: 2)
    case .lateResult: result(message?.fences.first)
    case .callerGone: queue.detach(1)
    case .callerAttached: queue.attach(1)
    case .holdEnd: hold = queue.holdEnded(1)
    case .withdraw: isWithdrawn = queue.withdraw(1, now: now)
    case .offerEnd: pass(.seconds(10))
    case .leaseEnd: pass(.seconds(60))
    case .lastAttemptEnd: lastAttemptEnds(state)
    case .timeToLiveEnd: pass(limits.timeToLive)
    case .cancel: close()
    case .taskEnded: queue.endWithTask(1, now: now)
    case .purge: close(.purged)
    case .redrive: redrive()
    case .pause: queue.pause()
    case .workspaceRemoved: close(.workspaceRemoved)
    case .shutdown: queue.endPolls(now: now)
    case .recovered: recover(state, attempt: 0)
    }
    if takes == before { take() }
  }

  private func refuse(_ state: MessageState) {
    if state == .offered || state == .leased {
      queue.handOutRefused([1], now: now)
      queue.refused([], now: now)
    } else {
      queue.refused([.message(1)], now: now)
    }
  }

  private func lastAttemptEnds(_ state: MessageState) {
    guard state == .queued else { return pass(.seconds(60)) }
    recover(.queued, attempt: 1)
    pass(.zero)
  }

  /// A new queue from what a file would hold.
  func recover(_ state: MessageState, attempt: Int) {
    var recovered = Recovered()
    recovered.lastSeq = 1
    let new = Stage.new(1, task: 1, now: now, limits: limits)
    let isHeld = state == .offered || state == .leased
    recovered.messages = [
      StoredMessage(
        seq: 1, tag: 7, state: isHeld ? .queued : state, reason: state.isEnd ? .expired : nil,
        position: 1, at: new.at, expires: new.expires, notBefore: now.wall, attempt: attempt,
        caller: "ann", method: 1, dialect: 1, task: 1, context: "c", messageID: "m",
        dedup: new.dedup, rpcID: [], isImmediate: false, isReceived: false, bytes: 3,
        answerFence: Fence(number: 5), answerHash: new.dedup, endedAt: nil)
    ]
    recovered.tasks = [
      StoredTask(seq: 1, state: .working, context: "c", caller: "ann", changed: now.wall)
    ]
    if isHeld {
      recovered.handOuts = [
        HandOutRow(
          fence: Fence(number: 5), seq: 1, attempt: 1, kind: state == .offered ? .offer : .lease,
          consumer: "ada", at: now.wall, leaseEnd: now.wall + .seconds(60))
      ]
    }
    queue.recover(recovered, now: now, isAfterPowerCut: false)
    take()
  }
}
