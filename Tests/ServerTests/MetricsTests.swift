import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// `/metrics`, over real sockets: its form, who may read it, and that each family says what happens.
@Suite struct MetricsTests {
  static func scrape(
    _ scene: RelayScene, token: String? = RelayScene.admin
  ) throws -> MetricsParser {
    let answer = try scene.connect().call("GET", "/metrics", token: token)
    #expect(answer.status == 200)
    #expect(answer.field("content-type") == "text/plain; version=0.0.4; charset=utf-8")
    return try MetricsParser(String(decoding: answer.body, as: UTF8.self))
  }

  @Test func `every family is written once and in the strict form`() throws {
    let scene = try RelayScene { $0.workspaceSeriesMax = 10 }
    let page = try Self.scrape(scene)
    #expect(Set(page.names) == Set(MetricFamily.allCases.map(\.rawValue)))
    for family in MetricFamily.allCases {
      let found = page.families[family.rawValue]
      #expect(found?.kind == family.kind.rawValue && found?.help == family.help)
      #expect(found?.help.hasSuffix(".") == true)
    }
    #expect(page.value("a2a_relay_build_info", ["version": RelayVersion.text]) == 1)
    #expect(page.sum("a2a_relay_disk_free_bytes") > 0)
    #expect(page.sum("process_start_time_seconds") > 1_700_000_000)
  }

  @Test func `a message's way moves the families that it passes`() throws {
    let scene = try RelayScene { $0.workspaceSeriesMax = 10 }
    let before = try Self.scrape(scene)
    // The first waits for its answer, so that an equal call attaches.
    let held = [try scene.connect(), try scene.connect()]
    for caller in held {
      try caller.begin(
        "POST", "/w/\(scene.id)/", token: RelayScene.admin,
        body: RelayScene.message(blocking: true))
    }
    let first = try scene.take()
    _ = try scene.client.call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin,
      body: RelayScene.message(messageID: "m-2"))
    for _ in 0..<1000 where try Self.scrape(scene).sum("a2a_relay_held_callers") < 2 {}
    let during = try Self.scrape(scene)
    #expect(during.value("a2a_relay_messages_unanswered") == 2)
    #expect(during.value("a2a_relay_messages_in_flight") == 1)
    #expect(during.sum("a2a_relay_oldest_unanswered_age_seconds") > 0)
    #expect(during.sum("a2a_relay_queue_bytes") > 0)
    #expect(during.sum("a2a_relay_held_callers") == 2)
    #expect(
      during.value("a2a_relay_workspace_messages_unanswered", ["workspace": scene.id]) == 2)
    #expect(try scene.verb("release", first, "{\"delay_seconds\":0}").status == 200)
    let again = try scene.take()
    #expect(try scene.verb("result", again, "{\"text\":\"x\"}").status == 200)
    for caller in held { #expect(try caller.answer().state == "completed") }
    let after = try Self.scrape(scene)
    for (name, growth) in [
      ("a2a_relay_sends_total", 2), ("a2a_relay_attaches_total", 1),
      ("a2a_relay_hand_outs_total", 2), ("a2a_relay_redeliveries_total", 1),
      ("a2a_relay_results_total", 1), ("a2a_relay_results_late_total", 0),
    ] {
      #expect(after.sum(name) - before.sum(name) == Double(growth), "\(name)")
    }
    #expect(after.value("a2a_relay_messages_unanswered") == 1)
    #expect(after.value("a2a_relay_messages_in_flight") == 0)
    for name in [
      "a2a_relay_commits_total", "a2a_relay_round_operations", "a2a_relay_barrier_seconds",
      "a2a_relay_requests_total", "a2a_relay_connections_accepted_total",
      "a2a_relay_loop_turns_total", "process_cpu_seconds_total",
    ] {
      #expect(after.sum(name) > before.sum(name), "\(name)")
    }
    #expect(after.sum("a2a_relay_barrier_errors_total") == 0)
    #expect(after.value("a2a_relay_agents", ["state": "online"]) == 1)
    #expect(after.sum("a2a_relay_workspace_files_open") == 1)
    #expect(after.sum("a2a_relay_connections") > 0)
    #expect(after.sum("a2a_relay_wal_pages") > 0)
  }

  @Test func `every refusal is counted under its code`() throws {
    let scene = try RelayScene()
    func count(_ code: String) throws -> Double? {
      try Self.scrape(scene).value("a2a_relay_refusals_total", ["code": code])
    }
    let url = "/workspaces/\(scene.id)"
    for (code, path, token) in [
      ("unauthorized", url, "wrong"), ("not_found", "/workspaces", scene.token),
      ("no_route", "/nothing", RelayScene.admin),
      ("bad_parameter", url + "/inbox?max=0", scene.token),
    ] {
      let before = try count(code) ?? -1
      let answer = try scene.connect().call("GET", path, token: token)
      #expect(answer.code == code)
      #expect(try count(code) == before + 1, "\(code)")
    }
    let before = try count("not_found") ?? -1
    let batch = try scene.client.call(
      "POST", url + "/inbox/batch", token: scene.token,
      body: """
        {"calls":[{"op":"claim","message":"00000000-0000-8000-8001-000000000001","lease":"L1"}]}
        """)
    #expect(batch.status == 200)
    #expect(try count("not_found") == before + 1)
  }

  @Test func `who may not read the metrics hears nothing of them`() throws {
    let scene = try RelayScene()
    for (token, code) in [
      (nil, "unauthorized"), ("wrong", "unauthorized"), (scene.token, "not_found"),
    ] {
      #expect(try scene.connect().call("GET", "/metrics", token: token).code == code)
    }
    for (method, status) in [("POST", 405), ("HEAD", 200)] {
      let answer = try scene.connect().call(method, "/metrics", token: RelayScene.admin)
      #expect(answer.status == status)
    }
  }

  @Test func `open metrics need no credential, and show no single workspace without one`() throws {
    let server = try RelayTestServer(metrics: .open) { $0.workspaceSeriesMax = 10 }
    let (id, token) = try RelayScene.make(HTTPTestClient(server))
    _ = try HTTPTestClient(server).call(
      "POST", "/w/\(id)/", token: RelayScene.admin, body: RelayScene.message())
    func scrape(_ token: String?) throws -> HTTPTestClient.Answer {
      try HTTPTestClient(server).call("GET", "/metrics", token: token)
    }
    #expect(try scrape(nil).text.contains("a2a_relay_sends_total 1\n"))
    #expect(try !scrape(nil).text.contains(id))
    #expect(try scrape(RelayScene.admin).text.contains(id))
    // A credential that is none, or does not reach so far, is refused all the same.
    #expect(try scrape("wrong").status == 401)
    #expect(try scrape(token).status == 404)
  }

  @Test func `an org's key reads metrics by its scope, and only its org's workspaces`() throws {
    let scene = try RelayScene { $0.workspaceSeriesMax = 10 }
    _ = try scene.client.call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin, body: RelayScene.message())
    _ = try scene.client.call("POST", "/orgs", token: RelayScene.admin, body: "{\"id\":\"acme\"}")
    func scrape(_ org: String, _ scope: String) throws -> HTTPTestClient.Answer {
      let key = try scene.client.call(
        "POST", "/org/tokens", token: RelayScene.admin,
        body: "{\"org\":\"\(org)\",\"scopes\":[\"\(scope)\"]}")
      return try scene.connect().call("GET", "/metrics", token: key.json["auth_token"]?.string)
    }
    for scope in ["read", "admin"] {
      #expect(try scrape("default", scope).text.contains(scene.id))
      let other = try scrape("acme", scope)
      #expect(other.status == 200 && !other.text.contains(scene.id))
    }
    #expect(try scrape("default", "send").status == 404)
  }
}
