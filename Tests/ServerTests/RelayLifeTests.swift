import Engine
import Foundation
import HTTPTestKit
import Relay
import System
import Testing
import Wire

@testable import Server

/// Ends: of polls, of callers, of the process, of the disk.
@Suite struct RelayLifeTests {
  private func hold(_ scene: RelayScene, _ messageID: String = "m-1") throws -> HTTPTestClient {
    let caller = try scene.connect()
    try caller.begin(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin,
      body: RelayScene.message(messageID: messageID, blocking: true))
    return caller
  }

  private func park(_ scene: RelayScene, _ query: String = "wait=50") throws -> HTTPTestClient {
    let agent = try scene.connect()
    try agent.begin("GET", "/workspaces/\(scene.id)/inbox?\(query)", token: scene.token)
    return agent
  }

  /// Waits until the operator's view of the queue says so.
  private func until(_ scene: RelayScene, _ name: String, _ count: Int) throws {
    for _ in 0..<10_000 {
      let shown = try scene.client.call(
        "GET", "/workspaces/\(scene.id)", token: RelayScene.admin)
      if shown.json["queue"]?[name]?.int ?? 0 == count { return }
    }
    Issue.record("\(name) never became \(count)")
  }

  @Test func `at shutdown the held get the Task and the parked 204 with Retry-After`() throws {
    let scene = try RelayScene()
    let other = try RelayScene.make(scene.client)
    let caller = try hold(scene)
    let agent = try scene.connect()
    try agent.begin("GET", "/workspaces/\(other.id)/inbox?wait=50", token: other.token)
    try until(scene, "held_callers", 1)
    scene.server.stop()
    let answer = try caller.answer()
    #expect(answer.state == "submitted" && answer.field("x-relay-message-id") != nil)
    let parked = try agent.answer()
    #expect(parked.status == 204 && parked.field("retry-after") != nil)
    #expect(scene.server.ended() == 0)
    // The message is there for the relay that is started next.
    let next = try RelayTestServer(path: scene.server.path)
    let entry = try HTTPTestClient(next).call(
      "GET", "/workspaces/\(scene.id)/inbox?wait=0", token: scene.token)
    #expect(entry.entry?["text"]?.string == "hello")
    next.stop()
    #expect(next.ended() == 0)
    // It has the directory.
    withExtendedLifetime(scene) {}
  }

  @Test func `a parked poll whose socket is closed gets nothing, and the next one does`() throws {
    for isReset in [true, false] {
      let scene = try RelayScene()
      let gone = try park(scene)
      try until(scene, "parked_polls", 1)
      if isReset { gone.reset() } else { gone.halfClose() }
      try until(scene, "parked_polls", 0)
      let live = try park(scene)
      let sent = try scene.connect().call(
        "POST", "/w/\(scene.id)/", token: RelayScene.admin, body: RelayScene.message())
      #expect(sent.field("x-relay-message-id") != nil)
      #expect(try live.answer().entry?["attempt"]?.int == 1)
    }
  }

  @Test func `a caller who half-closes keeps its answer, one who goes leaves the message`() throws {
    let scene = try RelayScene()
    let half = try hold(scene, "half")
    half.halfClose()
    let gone = try hold(scene, "gone")
    try until(scene, "held_callers", 2)
    gone.reset()
    try until(scene, "held_callers", 1)
    for _ in 0..<2 {
      let entry = try scene.take()
      #expect(try scene.verb("result", entry, "{\"text\":\"ok\"}").status == 200)
    }
    #expect(try half.answer().state == "completed")
    let retry = try hold(scene, "gone")
    #expect(try retry.answer().state == "completed")
  }

  @Test func `a named consumer that was killed gets its entries again at once`() throws {
    let scene = try RelayScene()
    let first = try park(scene, "wait=50&consumer=laptop")
    try until(scene, "parked_polls", 1)
    _ = try scene.connect().call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin, body: RelayScene.message())
    #expect(try first.answer().entry?["attempt"]?.int == 1)
    first.reset()
    // The reset is a matter of the loop's next turns.
    var answer = HTTPTestClient.Answer()
    for _ in 0..<1000 where answer.status != 200 {
      answer = try scene.connect().call(
        "GET", "/workspaces/\(scene.id)/inbox?wait=0&consumer=laptop", token: scene.token)
    }
    #expect(answer.entry?["attempt"]?.int == 1)
    #expect(answer.entry?["redelivered"]?.bool == true)
  }

  @Test func `a batch posts results and polls in one round trip`() throws {
    let scene = try RelayScene()
    for messageID in ["b-1", "b-2"] {
      _ = try scene.connect().call(
        "POST", "/w/\(scene.id)/", token: RelayScene.admin,
        body: RelayScene.message(messageID: messageID))
    }
    let entry = try scene.take()
    let path = "/workspaces/\(scene.id)/inbox/batch"
    let answer = try scene.client.call(
      "POST", path, token: scene.token,
      body: """
        {"calls":[{"op":"result","message":"\(entry.id)","lease":"\(entry.lease)",
        "result":{"text":"x"}},{"op":"none"},{"op":"claim","message":"\(entry.id)"}],
        "poll":{"wait":0}}
        """)
    let results = answer.json["results"]?.array?.map { $0["status"]?.int }
    #expect(results == [200, 400, 400])
    #expect(answer.json["poll"]?["body"]?["messages"]?.array?.count == 1)
    let empty = try scene.client.call(
      "POST", path, token: scene.token, body: "{\"calls\":[],\"poll\":null}")
    #expect(empty.text == "{\"results\":[]}")
    for body in [
      "{\"calls\":7}", "{\"poll\":7}", "{\"poll\":{\"wait\":\"x\"}}", "[]", "x",
      "{\"poll\":{\"max\":0}}", "{\"poll\":{\"consumer\":\"\"}}",
    ] {
      #expect(try scene.client.call("POST", path, token: scene.token, body: body).status == 400)
    }
  }

  @Test func `a result in a batch is the same as one posted by itself, byte for byte`() throws {
    let scene = try RelayScene()
    let path = "/workspaces/\(scene.id)/inbox"
    func post(_ path: String, _ body: String, lease: String? = nil) throws -> HTTPTestClient.Answer
    {
      try scene.client.call(
        "POST", path, token: scene.token, fields: lease.map { [("X-Relay-Lease", $0)] } ?? [],
        body: body)
    }
    for (number, isBatchFirst) in [true, false].enumerated() {
      _ = try scene.connect().call(
        "POST", "/w/\(scene.id)/", token: RelayScene.admin,
        body: RelayScene.message(messageID: "m-\(number)"))
      let entry = try scene.take()
      let result = #"{ "text" : "a\u00e9\/b" ,"data":{"n":1.50e+2,"i":12345678901234567890}}"#
      let single = "\(path)/\(entry.id)/result"
      let call = #"{"op":"result","message":"\#(entry.id)","lease":"\#(entry.lease)","#
      let batch = " {\"calls\":[ \(call)\"result\" : \(result) }]}"
      if isBatchFirst {
        let first = try post("\(path)/batch", batch)
        #expect(first.json["results"]?.array?.first?["body"]?["duplicate"] == nil)
      } else {
        #expect(try post(single, result, lease: entry.lease).json["duplicate"] == nil)
      }
      for _ in 0..<2 {
        let again = try post("\(path)/batch", batch).json["results"]?.array?.first
        #expect(again?["status"]?.int == 200 && again?["body"]?["duplicate"]?.bool == true)
        let alone = try post(single, result, lease: entry.lease)
        #expect(alone.status == 200 && alone.json["duplicate"]?.bool == true)
      }
      let shown = try scene.client.call("GET", "/messages/\(entry.id)", token: RelayScene.admin)
      #expect(shown.text.contains("1.50e+2") && shown.text.contains("12345678901234567890"))
    }
  }

  @Test(arguments: ["GetTask", "message"])
  func `a caller who was cut off receives its answer by reading it`(_ way: String) throws {
    let scene = try RelayScene()
    let caller = try hold(scene)
    try until(scene, "held_callers", 1)
    caller.reset()
    try until(scene, "held_callers", 0)
    let entry = try scene.take()
    #expect(try scene.verb("result", entry, "{\"text\":\"x\"}").status == 200)
    try until(scene, "unreceived", 1)
    if way == "message" {
      let shown = try scene.client.call("GET", "/messages/\(entry.id)", token: RelayScene.admin)
      #expect(shown.json["state"]?.string == "answered")
    } else {
      let shown = try scene.client.call(
        "POST", "/w/\(scene.id)/", token: RelayScene.admin,
        body: """
          {"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"id":"\(entry.id)"}}
          """)
      #expect(shown.state == "completed")
    }
    try until(scene, "unreceived", 0)
  }

  @Test func `parameters out of range are named`() throws {
    let scene = try RelayScene()
    for query in [
      "wait=x", "wait=-1", "max=0", "max=129", "lease=0", "lease=3601", "confirm=2", "consumer=",
      "wait=99999999999999999999",
    ] {
      let answer = try scene.client.call(
        "GET", "/workspaces/\(scene.id)/inbox?\(query)", token: scene.token)
      #expect(answer.status == 400 && answer.code == "bad_parameter", "\(query)")
    }
    let entry = (id: RelayAccessTests.message, lease: "L1")
    let cases = [
      ("extend", "{\"lease_seconds\":0}", "bad_parameter"), ("extend", "[]", "bad_request"),
      ("release", "{\"delay_seconds\":3601}", "bad_parameter"), ("release", "{", "bad_json"),
      ("release", "{\"reason\":\"\\ud800\"}", "bad_request"),
      ("extend", "{\"x\":1,\"x\":2}", "bad_request"),
      ("result", "{}", "bad_result"),
      ("result", "{\"text\":\"x\",\"state\":\"working\"}", "not_an_end"),
      ("claim", "", "not_found"),
    ]
    for (verb, body, code) in cases {
      #expect(try scene.verb(verb, entry, body).code == code, "\(verb) \(body)")
    }
    #expect(try scene.verb("claim", (entry.id, "nonsense")).code == "bad_parameter")
    let missing = try scene.client.call(
      "POST", "/workspaces/\(scene.id)/inbox/\(entry.id)/claim", token: scene.token)
    #expect(missing.code == "lease_missing")
  }

  @Test func `a failed barrier tells everybody unknown, refuses the rest and ends with 74`() throws
  {
    let fails = Switch()
    let scene = try RelayScene(
      calls: SyncCalls(fdatasync: { _ in fails.isOn ? EIO : 0 }, syncfs: { _ in 0 }))
    let held = try hold(scene)
    let agent = try park(scene)
    _ = try agent.answer()
    try until(scene, "held_callers", 1)
    let later = try scene.connect()
    // Its request is not whole yet when the barrier fails.
    let body = RelayScene.message(messageID: "later")
    try later.send(
      "POST /w/\(scene.id)/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(RelayScene.admin)\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n")
    let agents = try scene.connect()
    try agents.send(
      "POST /workspaces/\(scene.id)/inbox/batch HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer "
        + "\(scene.token)\r\nContent-Length: 2\r\n\r\n")
    fails.turnOn()
    let sent = try scene.connect().call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin,
      body: RelayScene.message(messageID: "m-2"))
    #expect(sent.json["error"]?["data"]?.array?.first?["reason"]?.string == "OUTCOME_UNKNOWN")
    let unknown = try held.answer()
    #expect(unknown.text.contains("\"delivered\":\"unknown\""))
    #expect(unknown.field("x-relay-message-id") != nil)
    try later.send(body)
    let refused = try later.answer()
    #expect(refused.status == 200)
    #expect(refused.json["error"]?["data"]?.array?.first?["reason"]?.string == "STOPPING")
    // This call is not stored; an equal one before it may be.
    #expect(refused.text.contains("\"delivered\":\"unknown\""))
    try agents.send("{}")
    #expect(try agents.answer().code == "stopping")
    #expect(scene.server.ended() == 74)
  }

  /// Turned on by the test, read by the barrier's thread; the lock orders the two.
  private final class Switch: @unchecked Sendable {
    private let lock = NSLock()
    private var value = false

    func turnOn() { lock.withLock { value = true } }
    var isOn: Bool { lock.withLock { value } }
  }
}
