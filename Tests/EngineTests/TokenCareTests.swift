import Relay
import Testing
import Wire

@testable import Engine

/// What is written about tokens, and when: values only, without a file.
@Suite struct TokenCareTests {
  private let limits = Limits()
  private let workspace = WorkspaceID(UUIDBytes(high: 1, low: 2))
  private let start = Now(
    instant: Instant(nanoseconds: 1_000_000_000),
    wall: WallTime(nanoseconds: 1_700_000_000_000_000_000))

  private func after(_ time: Duration) -> Now {
    Now(instant: start.instant + time, wall: start.wall + time)
  }

  private func row(_ number: Int, revokedAt: WallTime? = nil) -> RegisteredToken {
    RegisteredToken(
      hash: digest(number).bytes, workspace: workspace, org: "default", kind: .agent,
      createdAt: start.wall, fingerprint: "\(number)", revokedAt: revokedAt)
  }

  private func digest(_ number: Int) -> SHA256.Digest { SHA256.hash(Array("\(number)".utf8)) }

  /// Nothing has another end than its row says.
  private func step(
    _ care: inout TokenCare, _ now: Now, isTimeDoubtful: Bool = false, end: WallTime? = nil
  ) -> TokenCare.Step {
    care.step(now: now, isTimeDoubtful: isTimeDoubtful) { _ in end }
  }

  @Test func `a token that is used often is written once, a while after its first use`() {
    var care = TokenCare(limits)
    let use = TokenUse(row(1))
    #expect(care.nextDue == nil)
    care.used(use, now: start)
    care.used(use, now: after(.seconds(7)))
    #expect(care.nextDue == start.instant + limits.tokenUseWrite)
    #expect(step(&care, after(limits.tokenUseWrite - .nanoseconds(1))).uses.isEmpty)
    let uses = step(&care, after(limits.tokenUseWrite)).uses
    #expect(uses.map(\.hash) == [use.hash] && uses.map(\.at) == [after(.seconds(7)).wall])
    #expect(care.nextDue == nil && step(&care, after(.seconds(999))).uses.isEmpty)
    care.used(use, now: after(.seconds(100)))
    #expect(care.nextDue == after(.seconds(100)).instant + limits.tokenUseWrite, "it begins anew")
  }

  @Test func `many uses go in batches of 500, in turns of their own`() {
    var care = TokenCare(limits)
    for number in 0..<1001 { care.used(TokenUse(row(number)), now: start) }
    let due = after(limits.tokenUseWrite)
    #expect(step(&care, due).uses.count == 500)
    #expect(care.nextDue == due.instant, "the rest comes at once")
    #expect(step(&care, due).uses.count == 500)
    #expect(step(&care, due).uses.count == 1 && care.nextDue == nil)
  }

  @Test func `at the end of the process all uses are taken, whenever they are due`() {
    var care = TokenCare(limits)
    for number in 0..<501 { care.used(TokenUse(row(number)), now: start) }
    #expect(care.takeUses().count == 500 && care.takeUses().count == 1)
    #expect(care.takeUses().isEmpty)
  }

  @Test func `refused revocations are tried again together, with their lines`() {
    var care = TokenCare(limits)
    let line = AuditEntry(
      at: start.wall, actor: "admin", action: .tokenRevoke, target: .workspace(workspace))
    care.refused(TokenCare.Refused(digests: [digest(1)], record: line), now: start)
    care.refused(TokenCare.Refused(digests: [digest(2), digest(3)]), now: after(.seconds(1)))
    let due = after(.seconds(1) + limits.revocationRetry)
    #expect(care.nextDue == due.instant)
    #expect(step(&care, after(limits.revocationRetry)).revocations.isEmpty)
    let found = step(&care, due).revocations
    #expect(found.map(\.digests) == [[digest(1)], [digest(2), digest(3)]])
    #expect(found.map(\.record) == [line, nil])
    #expect(care.nextDue == nil && step(&care, due).revocations.isEmpty)
  }

  @Test func `a dead token is deleted once it has been listed for long enough`() {
    var care = TokenCare(limits)
    care.noteEnd(of: row(1))
    #expect(care.nextDeath == nil, "it has no end")
    care.noteEnd(of: row(1, revokedAt: start.wall))
    let due = after(limits.deadTokenKept)
    #expect(care.nextDeath == due.wall)
    #expect(step(&care, after(limits.deadTokenKept - .nanoseconds(1)), end: start.wall).dead == [])
    #expect(step(&care, due, isTimeDoubtful: true, end: start.wall).dead == [])
    #expect(step(&care, due, end: start.wall).dead == [digest(1)])
    #expect(care.nextDeath == nil)
  }

  @Test func `a token with a later end, or none any more, stays`() {
    var care = TokenCare(limits)
    let due = after(limits.deadTokenKept)
    care.noteEnd(of: row(1, revokedAt: start.wall))
    #expect(step(&care, due, end: after(.seconds(1)).wall).dead == [])
    care.noteEnd(of: row(1, revokedAt: start.wall))
    #expect(step(&care, due, end: nil).dead == [], "it is not in the table")
  }

  @Test func `dead tokens go in batches of 500, and again when the disk refuses`() {
    var care = TokenCare(limits)
    for number in 0..<501 { care.noteEnd(of: row(number, revokedAt: start.wall)) }
    let due = after(limits.deadTokenKept)
    let first = step(&care, due, end: start.wall).dead
    #expect(first.count == 500 && care.nextDeath == due.wall, "the last is due already")
    #expect(step(&care, due, end: start.wall).dead.count == 1)
    care.deletionRefused(first, now: due)
    #expect(care.nextDeath == due.wall + limits.revocationRetry)
    #expect(step(&care, due, end: start.wall).dead == [])
    let again = after(limits.deadTokenKept + limits.revocationRetry)
    #expect(Set(step(&care, again, end: start.wall).dead) == Set(first))
  }
}
