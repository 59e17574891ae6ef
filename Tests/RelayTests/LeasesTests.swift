import Testing

@testable import Relay

@Suite struct LeasesTests {
  let limits = Limits()
  let now = Part.now

  func poll(confirm: Bool = false, isNamed: Bool = true) -> Poll {
    Poll(
      id: 5, max: 1, bytesMax: 100, lease: .seconds(60), confirm: confirm, consumer: "ada",
      isNamed: isNamed, deadline: now.instant)
  }

  @Test func `each delivery has a new fence, above those of the last queue`() {
    var leases = Leases(boot: 2, fencesAbove: 9)
    let message = Part.message(1)
    let first = leases.begin(message, for: poll(), limits, turn: 1, now: now)
    #expect(first.fence == Fence(boot: 2, counter: 10) && first.attempt == 1)
    #expect(first.kind == .lease && first.leaseEnd == now.wall + .seconds(60))
    leases.end(message)
    let second = leases.begin(message, for: poll(confirm: true), limits, turn: 2, now: now)
    #expect(second.fence == Fence(boot: 2, counter: 11) && second.attempt == 2)
    #expect(second.kind == .offer && second.leaseEnd == now.wall + limits.offer)
    #expect(message.fences == [first.fence, second.fence])
    #expect(message.handOut?.isRedelivered == true && leases.count == 1)
  }

  @Test func `a named consumer's lease is untouched until a call for it`() {
    var leases = Leases(boot: 1, fencesAbove: 0)
    let message = Part.message(1)
    _ = leases.begin(message, for: poll(), limits, turn: 1, now: now)
    #expect(leases.untouched(of: "ada") == [1])
    leases.touch(message)
    #expect(!leases.hasUntouched && message.handOut?.isTouched == true)
    leases.end(message)
    #expect(message.handOut == nil && leases.count == 0)
    _ = leases.begin(message, for: poll(isNamed: false), limits, turn: 1, now: now)
    #expect(!leases.hasUntouched, "an unnamed consumer may be several")
  }

  @Test func `a delivery that is undone leaves nothing`() {
    var leases = Leases(boot: 1, fencesAbove: 0)
    let message = Part.message(1)
    _ = leases.begin(message, for: poll(), limits, turn: 1, now: now)
    leases.undo(message)
    #expect(message.attempt == 0 && !message.wasHandedOut && message.fences.isEmpty)
    #expect(leases.count == 0 && !leases.hasUntouched)
  }

  @Test func `an extension never ends a lease earlier`() {
    var leases = Leases(boot: 1, fencesAbove: 0)
    let message = Part.message(1)
    _ = leases.begin(message, for: poll(), limits, turn: 1, now: now)
    leases.extend(message, length: .seconds(1), now: now)
    #expect(message.handOut?.end == now.instant + .seconds(60))
    leases.extend(message, length: .seconds(90), now: now)
    #expect(message.handOut?.end == now.instant + .seconds(90))
  }

  @Test func `a lease that is taken over ends no earlier than the grace of a restart`() {
    for (left, end) in [
      (Duration.seconds(-5), limits.restartGrace), (.seconds(300), .seconds(300)),
    ] {
      var leases = Leases(boot: 1, fencesAbove: 0)
      let message = Part.message(1)
      let row = HandOutRow(
        fence: Fence(number: 5), seq: 1, attempt: 3, kind: .offer, consumer: "ada", at: now.wall,
        leaseEnd: now.wall + left)
      leases.takeOver(row, message, isClaimed: false, left: left, limits, now: now)
      #expect(message.state == .offered && message.attempt == 3 && leases.count == 1)
      #expect(message.handOut?.end == now.instant + end)
    }
  }
}
