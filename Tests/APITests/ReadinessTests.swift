import Engine
import Relay
import Testing
import Wire

@testable import API

/// `/ready`, as it is shown.
@Suite struct ReadinessTests {
  private let id = WorkspaceID(UUIDBytes(high: 1, low: 2))
  private let renderer = Renderer(urls: PublicURLs("http://relay"), Limits())

  private func shown(_ readiness: Readiness) throws -> (status: Int, json: JSON) {
    let rendered = renderer.response(to: Reply(call: 1, .readiness(readiness)))
    return (rendered.status, try JSON(parsing: rendered.body))
  }

  @Test func `a relay that takes sends is ready, and what it has lost makes it degraded`() throws {
    var readiness = Readiness()
    var (status, json) = try shown(readiness)
    #expect(status == 200 && json["status"] == "ready")
    #expect(json["commit"] == nil && json["room"]?.isNull == true)
    readiness.unavailable = 1
    readiness.probe = Readiness.Probe(age: .seconds(2), took: .milliseconds(3))
    (status, json) = try shown(readiness)
    #expect(status == 200 && json["status"] == "degraded" && json["unavailable"]?.int == 1)
    #expect(json["commit"]?["seconds"] == .number("0.003"))
    #expect(json["commit"]?["age_seconds"] == .number("2"))
    #expect(json["unavailable_workspaces"] == nil && json["unregistered"]?.int == 0)
    (readiness.unavailable, readiness.unregistered) = (0, [id])
    (status, json) = try shown(readiness)
    #expect(status == 200 && json["status"] == "degraded" && json["unregistered"]?.int == 1)
    #expect(json["unregistered_files"] == nil)
  }

  @Test func `it says why it is not ready, and names only what the reader may know`() throws {
    let readiness = Readiness(
      reasons: [.commitSlow], unavailable: 1, named: [id], unregistered: [id],
      namesUnregistered: true, probe: Readiness.Probe(age: .seconds(2)))
    let (status, json) = try shown(readiness)
    #expect(status == 503 && json["status"] == "not_ready")
    #expect(json["reasons"] == .array(["commit_slow"]))
    #expect(json["unavailable_workspaces"] == .array([.string(id.text)]))
    #expect(json["unregistered_files"] == .array([.string(id.text)]))
    #expect(json["commit"]?["ok"] == false && json["commit"]?["seconds"] == nil)
  }
}
