import Relay
import Testing
import Wire

@testable import Archive

/// The order of a backup's files and its report, without a file.
@Suite struct BackupPlanTests {
  private let first = ArchiveBench.id(1)
  private let second = ArchiveBench.id(2)

  @Test func `workspaces have their turn in order, and their bytes are needed together`() {
    var plan = BackupPlan(restartsMax: 1)
    #expect(plan.current == nil && plan.bytes == 0)
    plan.add(first, bytes: 10)
    plan.add(second, bytes: 5)
    #expect(plan.count == 2 && plan.bytes == 15 && plan.current == first)
    plan.advance()
    #expect(plan.current == second)
    plan.advance()
    #expect(plan.current == nil && plan.count == 2)
  }

  @Test func `each workspace has restarts of its own`() {
    var plan = BackupPlan(restartsMax: 2)
    plan.add(first, bytes: 1)
    plan.add(second, bytes: 1)
    let restarts = (0..<3).map { _ in plan.takeRestart() }
    #expect(restarts == [true, true, false])
    plan.advance()
    let isFresh = plan.takeRestart()
    #expect(isFresh)
  }

  @Test func `a report counts the files, and names what was left out`() {
    var report = BackupReport(.relay, folder: "/b", startedAt: WallTime(nanoseconds: 1))
    #expect(report.files == 1 && report.state == .running)
    report.expect(workspaces: 3)
    report.finished(Manifest.File(path: "relay.db", bytes: 4, hash: ""))
    var file = Manifest.File(path: "a", bytes: 6, hash: "")
    file.messages = 2
    report.finished(file)
    report.skipped(first, "why")
    report.skipped(second, nil)
    #expect(report.files == 4 && report.filesDone == 2 && report.bytes == 10)
    #expect(report.messages == 2 && report.purged == [second])
    #expect(report.unreadable.map(\.workspace) == [first])
    report.ended(nil, at: WallTime(nanoseconds: 2))
    let json = JSON.object(report.members)
    #expect(json["state"]?.string == "done" && json["unreadable"]?.array?.count == 1)
    #expect(json["ended_at"] != nil && json["error"] == nil && json["workspace"] == nil)
  }

  @Test func `a failed backup of one workspace names it and the error`() {
    var report = BackupReport(
      .workspace(first), folder: "/b", startedAt: WallTime(nanoseconds: 1))
    report.ended(ArchiveError(.full, "no room"), at: WallTime(nanoseconds: 2))
    let json = JSON.object(report.members)
    #expect(json["state"]?.string == "failed" && json["error"]?.string == "no room")
    #expect(json["workspace"]?.string == first.text)
  }
}
