import Relay
import Testing

@testable import Engine

/// When idle files become smaller, and whose turn retention is, without a file.
@Suite struct ShrinkingTests {
  private let limits = Limits()
  private let start = Instant(nanoseconds: 1_000_000_000)

  private func step(
    _ shrinking: inout Shrinking, now: Instant, isBarrierBusy: Bool = false,
    hasRounds: Bool = false, notBefore: Instant = Instant(nanoseconds: 0)
  ) -> Shrinking.Action {
    shrinking.step(
      now: now, isBarrierBusy: isBarrierBusy, hasRounds: hasRounds, notBefore: notBefore, limits)
  }

  @Test func `only a file that holds little and has much free is written once more`() {
    func pays(_ free: Int, _ used: Int, isLow: Bool = false, hasRoom: Bool = true) -> Bool {
      Shrinking.pays(free: free, used: used, isDiskLow: isLow, hasRoom: hasRoom, limits)
    }
    let (free, used) = (limits.freePagesMax, limits.shrinkPagesMax)
    #expect(pays(free + 1, used) && pays(free + 1, used, hasRoom: false))
    #expect(!pays(free, used) && !pays(free + 1, used + 1))
    // Others need what is free in it.
    #expect(pays(257, 0, isLow: true) && !pays(256, 0, isLow: true))
    #expect(pays(357, 400, isLow: true) && !pays(356, 400, isLow: true))
    #expect(!pays(257, 0, isLow: true, hasRoom: false))
    let most = limits.shrinkPagesLowMax
    #expect(pays(most, most, isLow: true) && !pays(most, most + 1, isLow: true))
  }

  @Test func `anything that is written ends it before its turn`() {
    let shrinking = Shrinking(from: start, commits: 3, limits)
    #expect(shrinking.next(commits: 3, synced: 0) == start)
    #expect(shrinking.next(commits: 4, synced: 4) == nil)
  }

  @Test func `callers go first, one file goes after the other, and no round may be on its way`() {
    for (isBusy, hasRounds, free) in [
      (true, false, start), (false, true, start), (false, false, start + .seconds(9)),
    ] {
      var shrinking = Shrinking(from: start, commits: 3, limits)
      let action = step(
        &shrinking, now: start, isBarrierBusy: isBusy, hasRounds: hasRounds, notBefore: free)
      #expect(action == .wait)
      let due = max(free, start + limits.pendingRetry)
      #expect(shrinking.next(commits: 3, synced: 0) == due)
    }
    var shrinking = Shrinking(from: start, commits: 3, limits)
    let patience = start + limits.shrinkPatience
    #expect(step(&shrinking, now: patience + .nanoseconds(-1), isBarrierBusy: true) == .wait)
    #expect(step(&shrinking, now: patience, isBarrierBusy: true) == .rewrite, "not for ever")
    #expect(shrinking.stage == .wanted, "until it is written")
  }

  @Test func `the end is cut when what was written is durable, with pauses between the pieces`() {
    var shrinking = Shrinking(from: start, commits: 3, limits)
    #expect(step(&shrinking, now: start) == .rewrite)
    shrinking.rewrote(commits: 4)
    #expect(shrinking.stage == .written && shrinking.next(commits: 4, synced: 3) == nil)
    // What comes later does not end it.
    #expect(shrinking.next(commits: 9, synced: 4) == start)
    #expect(step(&shrinking, now: start, isBarrierBusy: true, hasRounds: true) == .cut)
    shrinking.didCut(now: start, took: .nanoseconds(1), limits)
    let next = start + .nanoseconds(1) + limits.retentionPause
    #expect(shrinking.next(commits: 4, synced: 4) == next)
    shrinking.didCut(now: start, took: .seconds(5), limits)
    #expect(shrinking.next(commits: 4, synced: 4) == start + .seconds(10))
  }

  // MARK: whose turn it is

  private static let ids = (1...3).map { WorkspaceID(UUIDBytes(high: 0, low: $0)) }

  private func place(
    _ due: Instant, hasTurnWork: Bool = false, isTouched: Bool = false
  ) -> RetentionTurns.Place {
    RetentionTurns.Place(due: due, hasTurnWork: hasTurnWork, isTouched: isTouched)
  }

  @Test func `the workspace that has waited longest has its turn, unless it has other work`() {
    var turns = RetentionTurns(limits)
    for id in Self.ids { turns.add(id) }
    var places = [
      Self.ids[0]: place(start + .seconds(-2)), Self.ids[1]: place(start + .seconds(-3)),
      Self.ids[2]: place(start),
    ]
    #expect(turns.next(now: start) { places[$0] }.id == Self.ids[1])
    #expect(turns.nextDue { places[$0] } == start + .seconds(-3))
    places[Self.ids[1]]?.hasTurnWork = true
    #expect(turns.next(now: start) { places[$0] }.id == Self.ids[0])
    #expect(turns.nextDue { places[$0] } == start + .seconds(-2))
    #expect(turns.waiting.count == 3)
    places[Self.ids[0]] = nil
    let next = turns.next(now: start) { places[$0] }
    #expect(next.id == Self.ids[2] && next.later.isEmpty && turns.waiting == Set(Self.ids[1...]))
  }

  @Test func `a workspace whose next round is late leaves, one that is soon or at work stays`() {
    var turns = RetentionTurns(limits)
    for id in Self.ids { turns.add(id) }
    let soon = start + limits.retentionPause
    let late = soon + .nanoseconds(1)
    let places = [
      Self.ids[0]: place(late), Self.ids[1]: place(soon),
      Self.ids[2]: place(late, isTouched: true),
    ]
    let next = turns.next(now: start) { places[$0] }
    #expect(next.id == nil && next.later == [Self.ids[0]])
    #expect(turns.waiting == Set(Self.ids[1...]) && turns.nextDue { places[$0] } == soon)
    #expect(turns.nextDue { _ in nil } == nil)
  }

  @Test func `one file is written once more after the other`() {
    var turns = RetentionTurns(limits)
    #expect(turns.shrinksFrom <= start)
    turns.shrinks(now: start)
    #expect(turns.shrinksFrom == start + limits.retentionEvery)
  }
}
