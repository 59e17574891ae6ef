import Foundation
import Relay
import Testing
import Wire

@testable import Server

/// `docs/metrics.md` and `deploy/alerts.yaml` name what there is, and nothing else.
@Suite struct MetricsDocumentTests {
  private func text(_ path: String) throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  @Test func `every family has its row, with kind and labels`() throws {
    let lines = try text("docs/metrics.md").split(separator: "\n")
    let rows = lines.map { $0.dropFirst().dropLast().components(separatedBy: " | ") }
      .map { $0.map { $0.trimmingCharacters(in: .whitespaces) } }
      .filter { $0.count == 4 && MetricsText.Kind(rawValue: $0[1]) != nil }
    #expect(rows.map { $0[0] } == MetricFamily.allCases.map { "`\($0.rawValue)`" })
    let scene = try RelayScene { $0.workspaceSeriesMax = 1 }
    _ = try scene.client.call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin, body: RelayScene.message())
    let page = try MetricsTests.scrape(scene)
    for (row, family) in zip(rows, MetricFamily.allCases) {
      #expect(row[1] == family.kind.rawValue)
      let samples = page.families[family.rawValue]?.samples ?? []
      let labels = Set(samples.flatMap(\.labels.keys)).subtracting(["le"])
      #expect(row[2] == (labels.first.map { "`\($0)`" } ?? "–"), "\(family)")
      #expect(labels.count <= 1 && row[3].count > 10)
    }
  }

  @Test func `every metric of an alert exists, and every runbook's anchor`() throws {
    let rules = try text("deploy/alerts.yaml")
    let page = try text("docs/metrics.md")
    let known = MetricFamily.allCases.flatMap { family in
      family.kind == .histogram
        ? ["_bucket", "_sum", "_count"].map { family.rawValue + $0 } : [family.rawValue]
    }
    let named = rules.split(separator: "\n").filter { !$0.contains("#") }
      .flatMap { $0.matches(of: /(a2a_relay|process)_[a-z_]+/) }.map { String($0.output.0) }
    #expect(named.count >= 10)
    for name in named { #expect(known.contains(name), "there is no \(name)") }
    let alerts = rules.matches(of: /- alert: (\w+)/).map { $0.output.1 }
    let anchors = rules.matches(of: /runbook: docs\/metrics.md#([a-z-]+)/).map { $0.output.1 }
    #expect(alerts.count == anchors.count && alerts.count >= 10)
    for alert in alerts { #expect(page.contains("`\(alert)`"), "\(alert) has no row") }
    for anchor in anchors { #expect(page.contains("<a id=\"\(anchor)\"></a>"), "\(anchor)") }
    let codes = rules.matches(of: /code=~?"([a-z_|]+)"/)
      .flatMap { $0.output.1.split(separator: "|") }
    for code in codes { #expect(try text("docs/errors.md").contains("<a id=\"\(code)\">")) }
  }
}
