package import Relay
import Store
import System

extension Broker {
  /// What the barrier is to make durable.
  package struct RoundWork: Sendable {
    package var number: UInt64
    package var files: [Int32]
  }

  /// Commits what the turn has collected. `nil`: nobody waits for a barrier.
  package func endTurn(now: Now) -> RoundWork? {
    var files: [Int32] = []
    let number = round + 1
    let turn = touched
    touched = []
    for desk in turn {
      desk.isTouched = false
      commit(desk, now: now)
      if closeRound(desk, number) { files.append(desk.file.walDescriptor) }
      desk.queue.turnEnded()
    }
    if commitRegistry(number) { files.append(data.registry.walDescriptor) }
    guard !files.isEmpty, fatal == nil else { return nil }
    round = number
    return RoundWork(number: number, files: files)
  }

  /// Makes a round of what waits for the barrier; says whether there is any.
  private func closeRound(_ desk: Desk, _ number: UInt64) -> Bool {
    guard !desk.committedReports.isEmpty || !desk.committedReplies.isEmpty, desk.failure == nil
    else { return false }
    desk.rounds.append(
      Desk.Round(
        number: number, commits: desk.commits, reports: desk.committedReports,
        replies: desk.committedReplies))
    desk.committedReports = []
    desk.committedReplies = []
    inRound[number, default: []].append(desk)
    return true
  }

  /// Every round up to `number` is on the disk.
  package func barrierPassed(_ number: UInt64, now: Now) {
    guard number > passed, fatal == nil else { return }
    for current in (passed + 1)...number {
      for desk in inRound.removeValue(forKey: current) ?? [] {
        guard let first = desk.rounds.first, first.number == current else { continue }
        desk.rounds.removeFirst()
        outbox += first.replies
        if desk.failure != nil {
          // The barrier held its descriptor until now.
          if desk.rounds.isEmpty { desk.file.abandon() }
          continue
        }
        desk.synced = first.commits
        if desk.synced == desk.commits { desk.file.markSynced() }
        touch(desk)
        desk.queue.durable(first.reports, now: now)
        carryOut(desk, now: now)
      }
      registryPassed(current)
    }
    passed = number
  }
}
