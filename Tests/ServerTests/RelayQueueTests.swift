import Engine
import HTTPServer
import HTTPTestKit
import Relay
import Store
import Testing
import Wire

@testable import Server

/// Operators' verbs over real sockets: what they answer, and who may use them.
@Suite struct RelayQueueTests {
  let scene: RelayScene
  var client: HTTPTestClient { get throws { try scene.connect() } }
  static let admin = RelayScene.admin
  static let unknown = "11111111-2222-4333-8444-555555555555"
  static let message = "00000000-0000-8000-8001-000000000001"

  init() throws { scene = try RelayScene(limits: { $0.attempts = 1 }) }

  private func path(_ rest: String) -> String { "/workspaces/\(scene.id)/\(rest)" }

  private func get(_ rest: String, token: String? = admin) throws -> HTTPTestClient.Answer {
    try client.call("GET", path(rest), token: token)
  }

  private func post(
    _ rest: String, _ body: String = "", token: String? = admin
  ) throws -> HTTPTestClient.Answer {
    try client.call("POST", path(rest), token: token, body: body)
  }

  private func send(_ messageID: String = "m-1") throws -> String {
    let sent = try client.call(
      "POST", "/w/\(scene.id)/", token: Self.admin,
      body: RelayScene.message(messageID: messageID))
    return try #require(sent.field("x-relay-message-id"))
  }

  private func dead(_ messageID: String = "m-1") throws -> String {
    let message = try send(messageID)
    let entry = try scene.take()
    #expect(entry.id == message)
    #expect(try scene.verb("release", entry, "{\"reason\":\"no\"}").status == 200)
    return message
  }

  /// Asks until the job has ended: no sleeping, each question is a turn of the loop.
  private func finish(_ job: JSON?) throws -> JSON {
    let id = try #require(job?.string)
    let client = try client
    for _ in 0..<20_000 {
      let answer = try client.call("GET", path("jobs/\(id)"), token: Self.admin)
      if answer.json["state"]?.string != "running" { return answer.json }
    }
    Issue.record("the job does not end")
    return .null
  }

  @Test func `a message is cancelled, redriven and replayed`() throws {
    let dead = try dead()
    let redriven = try post("messages/\(dead)/redrive")
    #expect(redriven.status == 200)
    #expect(redriven.text == "{\"status\":\"redriven\",\"id\":\"\(dead)\"}")
    let entry = try scene.take()
    #expect(entry.id == dead)
    #expect(try post("messages/\(dead)/replay").code == "not_ended")
    #expect(try scene.verb("result", entry, "{\"text\":\"done\"}").status == 200)
    #expect(try post("messages/\(dead)/redrive").code == "not_dead")
    #expect(try post("messages/\(dead)/cancel").code == "message_ended")
    let replayed = try post("messages/\(dead)/replay")
    #expect(replayed.json["replay_of"]?.string == dead)
    let copy = try #require(replayed.json["id"]?.string)
    let cancelled = try post("messages/\(copy)/cancel")
    #expect(cancelled.text == "{\"status\":\"cancelled\",\"id\":\"\(copy)\"}")
    let timeline = try get("messages/\(dead)?bodies=1").json
    #expect(timeline["replayed_as"]?.array?.first?.string == copy)
    #expect(timeline["answer"]?["text"] == "done")
    #expect(timeline["request"]?["body"]?.string?.contains("hello") == true)
    let events = timeline["timeline"]?.array ?? []
    let actors = events.compactMap { $0["actor"]?.string }
    #expect(actors == ["admin", "admin"], "\(timeline)")
  }

  @Test func `a queue says what it holds, and its messages are listed`() throws {
    let first = try send("m-1")
    let second = try send("m-2")
    let entry = try scene.take()
    #expect(entry.id == first)
    let queue = try get("queue").json
    #expect(queue["counts"]?["queued"]?.int == 1 && queue["counts"]?["in_flight"]?.int == 1)
    #expect(queue["agent"] == "present" && queue["paused"] == false)
    #expect(queue["oldest_unanswered_age_seconds"]?.int == 0)
    #expect(queue["oldest_unreceived_age_seconds"] == .null)
    #expect(try get("messages?state=queued").json["messages"]?.array?.count == 1)
    let page = try get("messages?limit=1").json
    #expect(page["messages"]?.array?.first?["id"]?.string == first)
    let next = try #require(page["next"]?.string)
    let rest = try get("messages?limit=1&after=\(next)").json
    #expect(rest["messages"]?.array?.first?["id"]?.string == second)
    for bad in [
      "state=x", "limit=0", "limit=501", "after=x", "since=yesterday", "until=2026-13-01T00:00:00Z",
    ] {
      #expect(try get("messages?\(bad)").code == "bad_parameter", "\(bad)")
    }
    let late = try get("messages?since=2100-01-01T00:00:00%2B01:00").json
    #expect(late["messages"]?.array == [])
  }

  @Test func `a pause stops hand-outs until it is lifted`() throws {
    #expect(try post("pause", "{\"sends\":\"refuse\"}").json["status"] == "paused")
    let refused = try client.call(
      "POST", "/w/\(scene.id)/", token: Self.admin, body: RelayScene.message())
    #expect(refused.rpcCode == -32603 && refused.field("retry-after") == "30")
    #expect(try post("pause").json["sends"] == "accept")
    let message = try send()
    let poll = try scene.connect()
    try poll.begin("GET", path("inbox?wait=20"), token: scene.token)
    #expect(try post("resume").json["status"] == "active")
    #expect(try poll.answer().entry?["id"]?.string == message)
    #expect(try post("pause", "{\"sends\":\"maybe\"}").code == "bad_request")
  }

  @Test func `many are redriven, replayed and purged by jobs`() throws {
    let all = try (0..<5).map { try dead("m-\($0)") }
    let dry = try post("redrive?dry_run=1", "{\"state\":\"dead\"}")
    #expect(dry.text == "{\"dry_run\":true,\"matched\":5,\"states\":{\"dead\":5}}")
    let started = try post("redrive", "{\"state\":\"dead\",\"rate\":1000}")
    #expect(started.status == 202 && started.json["rate"]?.int == 1000)
    #expect(try finish(started.json["job"])["done"]?.int == 5)
    for _ in all {
      #expect(try scene.verb("result", try scene.take(), "{\"text\":\"x\"}").status == 200)
    }
    let replays = try post("replay", "{\"ids\":[\"\(all[0])\",\"\(all[1])\"]}")
    #expect(try finish(replays.json["job"])["replayed"]?.int == 2)
    let states = "\"queued\",\"answered\""
    let purge = try post("purge", "{\"states\":[\(states)],\"rate\":10000}")
    #expect(purge.json["matched"]?.int == 7)
    #expect(try finish(purge.json["job"])["done"]?.int == 7)
    let gone = try get("messages/\(all[0])")
    #expect(gone.status == 200 && gone.json["state"]?.string == "deleted")
    let again = try post("messages/\(all[0])/replay", "")
    #expect(again.status == 410 && again.code == "answer_gone")
    #expect(try get("jobs").json["jobs"]?.array?.count == 3)
    #expect(try client.call("DELETE", path("jobs/3"), token: Self.admin).json["state"] == "done")
    #expect(try get("jobs/9").status == 404)
  }

  @Test(arguments: [
    ("purge", "{}"), ("purge", "{\"states\":[]}"), ("purge", "{\"states\":[\"in_flight\"]}"),
    ("purge", "{\"states\":[\"x\"]}"), ("redrive", "{\"state\":\"answered\"}"), ("redrive", "[]"),
    ("redrive", "{\"rate\":0}"), ("redrive", "{\"rate\":10001}"), ("redrive", "{\"rate\":\"x\"}"),
    ("replay", "{\"state\":\"queued\"}"), ("replay", "{}"), ("replay", "{\"ids\":[]}"),
    ("replay", "{\"ids\":[\"00000000-0000-8000-8001-000000000001\"],\"state\":\"dead\"}"),
    ("replay", "{\"ids\":[\"x\"]}"), ("purge", "{\"states\":[\"queued\"],\"since\":7}"),
    ("replay", "not json"),
  ])
  func `what is not understood changes nothing`(route: String, body: String) throws {
    let answer = try post(route, body)
    #expect([400, 404].contains(answer.status), "\(answer)")
    #expect(try get("jobs").json["jobs"]?.array == [])
  }

  // MARK: who may

  private static let reads = ["queue", "messages", "jobs", "jobs/1", "messages/\(message)"]
  private static let writes = [
    "pause", "resume", "redrive", "replay", "purge", "messages/\(message)/cancel",
    "messages/\(message)/redrive", "messages/\(message)/replay",
  ]

  @Test func `nobody but an operator of the workspace's org acts on its queue`() throws {
    let message = try send()
    let other = try RelayScene.make(scene.connect())
    let routes =
      Self.reads.map { ("GET", $0) } + Self.writes.map { ("POST", $0) } + [("DELETE", "jobs/1")]
    for (method, rest) in routes {
      let rest = rest.replacing(Self.message, with: message)
      for token in [nil, "wrong"] {
        let known = try client.call(method, path(rest), token: token)
        let unknown = try client.call(method, "/workspaces/\(Self.unknown)/\(rest)", token: token)
        #expect(known.status == 401 && known.text == unknown.text)
      }
      // The agent's own token, and that of another workspace: as if there were nothing.
      for token in [scene.token, other.token] {
        let answer = try client.call(method, path(rest), token: token)
        #expect(answer.status == 404 && answer.code == "not_found", "\(method) \(rest)")
      }
      let nowhere = try client.call(
        method, "/workspaces/\(Self.unknown)/\(rest)", token: Self.admin, body: "{}")
      #expect(nowhere.status == 404 || nowhere.status == 400, "\(method) \(rest)")
    }
    #expect(try get("messages/\(message)").json["state"] == "queued", "nothing has changed")
    #expect(try get("queue").json["paused"] == false)
    #expect(try get("jobs").json["jobs"]?.array == [])
  }

  @Test func `a route says which methods it takes`() throws {
    for rest in Self.writes {
      let answer = try get(rest)
      #expect(answer.status == 405 && answer.field("allow") == "POST")
    }
    #expect(try post("queue").field("allow") == "GET, HEAD")
    #expect(try post("jobs/1").field("allow") == "GET, HEAD, DELETE")
    #expect(try client.call("HEAD", path("queue"), token: Self.admin).status == 200)
  }

  @Test func `work in flight is purged on a word in the query, too`() throws {
    _ = try client.call(
      "POST", "/w/\(scene.id)/", token: Self.admin, body: RelayScene.message())
    _ = try scene.take()
    #expect(try post("purge?dry_run=1&in_flight=0", "{}").status == 400)
    let dry = try post("purge?dry_run=1&in_flight=1", "{}")
    #expect(dry.status == 200 && dry.json["matched"]?.int == 1, "\(dry.text)")
    #expect(try post("purge?dry_run=1", "{\"states\":[\"queued\"]}").json["matched"]?.int == 0)
  }

  @Test func `a misspelt wish is refused by name, and means nothing`() throws {
    _ = try client.call(
      "POST", "/w/\(scene.id)/", token: Self.admin, body: RelayScene.message(messageID: "kept"))
    let wishes = [
      ("purge", "{\"states\":[\"queued\"],\"untill\":\"2020-01-01T00:00:00Z\"}", "untill"),
      ("purge?dryrun=1", "{\"states\":[\"queued\"]}", "dryrun"),
      ("purge?dry_run=maybe", "{\"states\":[\"queued\"]}", "dry_run"),
      ("replay", "{\"state\":\"answered\",\"states\":[\"dead\"]}", "not both"),
      ("redrive", "{\"in_flight\":true}", "in_flight"),
      ("redrive?in_flight=1", "{}", "in_flight"),
      ("purge?in_flight=maybe", "{\"states\":[\"queued\"]}", "in_flight"),
    ]
    for (verb, body, word) in wishes {
      let answer = try post(verb, body)
      #expect(answer.status == 400, "\(verb)")
      #expect(answer.json["error"]?.string?.contains(word) == true, "\(verb)")
    }
    let dry = try post("purge?dry_run=true", "{\"states\":[\"queued\"]}")
    #expect(dry.status == 200 && dry.json["dry_run"]?.bool == true)
    #expect(try get("jobs").json["jobs"]?.array?.isEmpty == true)
  }
}
