import Engine
import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// `Idempotency-Key` and retention over real sockets, in both dialects.
@Suite struct IdempotencyTests {
  private static func send(
    _ dialect: String, id: String = "1", text: String = "hello", space: String = ""
  ) -> String {
    let (method, role) = dialect == "1.0" ? ("SendMessage", "ROLE_USER") : ("message/send", "user")
    let kind = dialect == "1.0" ? "" : "\"kind\":\"text\","
    return """
      {"jsonrpc":"2.0","id":\(id),"method":"\(method)","params":{\(space)"message":\
      {"messageId":"m-1","role":"\(role)","parts":[{\(kind)"text":"\(text)"}]}}}
      """
  }

  private func post(
    _ scene: RelayScene, _ body: String, _ key: String, dialect: String,
    client: HTTPTestClient? = nil
  ) throws -> HTTPTestClient.Answer {
    let client = try client ?? scene.connect()
    try begin(scene, body, key, dialect: dialect, client: client)
    return try client.answer()
  }

  private func begin(
    _ scene: RelayScene, _ body: String, _ key: String, dialect: String, client: HTTPTestClient
  ) throws {
    try client.begin(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin,
      fields: [("Idempotency-Key", key), ("A2A-Version", dialect)], body: body)
  }

  @Test(arguments: ["0.3", "1.0"])
  func `a call with its key is answered again with the stored answer`(dialect: String) throws {
    let scene = try RelayScene()
    let caller = try scene.connect()
    try begin(scene, Self.send(dialect, id: "\"a\""), "k-1", dialect: dialect, client: caller)
    let entry = try scene.take()
    #expect(try scene.verb("result", entry, "{\"text\":\"hi\"}").status == 200)
    let first = try caller.answer()
    #expect(first.state == (dialect == "1.0" ? "TASK_STATE_COMPLETED" : "completed"))
    // Received or not, quoted or not, with white space or without: it is the same call.
    for (number, key) in ["k-1", "\"k-1\"", "k-1"].enumerated() {
      let body = Self.send(dialect, id: "\(number)", space: String(repeating: " ", count: number))
      let again = try post(scene, body, key, dialect: dialect, client: caller)
      #expect(again.json["id"] == .number("\(number)"))
      #expect(again.state == first.state && again.task?["id"] == first.task?["id"])
      #expect(again.task?["artifacts"] == first.task?["artifacts"])
      #expect(again.field("x-relay-message-id") == entry.id)
    }
    let other = try post(scene, Self.send(dialect, text: "other"), "k-1", dialect: dialect)
    #expect(other.status == 200 && other.rpcCode == -32602)
    #expect(other.text.contains("IDEMPOTENCY_CONFLICT"))
  }

  @Test(arguments: ["0.3", "1.0"]) func `two at once attach to one`(dialect: String) throws {
    let scene = try RelayScene()
    let callers = try (0..<4).map { _ in try scene.connect() }
    for (number, caller) in callers.enumerated() {
      try begin(scene, Self.send(dialect, id: "\(number)"), "k", dialect: dialect, client: caller)
    }
    let entry = try scene.take()
    #expect(try scene.verb("result", entry, "{\"text\":\"hi\"}").status == 200)
    for (number, caller) in callers.enumerated() {
      let answer = try caller.answer()
      #expect(answer.json["id"] == .number("\(number)"))
      #expect(answer.field("x-relay-message-id") == entry.id)
    }
  }

  @Test(arguments: [true, false])
  func `the platform's way in mends a message, and its key knows it again`(isNamed: Bool) throws {
    let scene = try RelayScene()
    let client = try scene.connect()
    func send(_ text: String, _ key: String?) throws -> HTTPTestClient.Answer {
      let fields =
        [("X-Target-Workspace-ID", scene.id)] + (key.map { [("Idempotency-Key", $0)] } ?? [])
      return try client.call(
        "POST", isNamed ? "/workspaces/\(scene.id)/a2a" : "/a2a", token: RelayScene.admin,
        fields: fields, body: RelayPlatformTests.body(text))
    }
    let first = try send("hello", "k-1")
    let again = try send("hello", "k-1")
    #expect(first.json["queue_id"]?.string != nil)
    #expect(again.json["queue_id"] == first.json["queue_id"])
    #expect(try send("other", "k-1").status == 409)
    #expect(try send("hello", "k-2").json["queue_id"] != first.json["queue_id"])
    #expect(try send("hello", nil).json["queue_id"] != first.json["queue_id"])
  }

  @Test func `what is no key is refused, with what is allowed`() throws {
    let scene = try RelayScene()
    for key in ["", "\"a", "a b", String(repeating: "x", count: 256)] {
      let answer = try post(scene, Self.send("0.3", id: "9"), key, dialect: "0.3")
      #expect(answer.status == 200 && answer.rpcCode == -32602, "\(key)")
      #expect(answer.json["id"] == .number("9"))
      #expect(answer.text.contains("Idempotency-Key"))
    }
  }

  @Test func `callers without a credential have no keys`() throws {
    let scene = try RelayScene(settings: ",\"callers\":\"agent\"")
    let answer = try scene.connect().call(
      "POST", "/w/\(scene.id)/", fields: [("Idempotency-Key", "k")], body: Self.send("0.3"))
    #expect(answer.rpcCode == -32602)
    #expect(answer.text.contains("credential"))
    let without = try scene.connect().call(
      "POST", "/w/\(scene.id)/", body: RelayScene.message())
    #expect(without.state == "submitted")
  }

  @Test func `what retention deletes is gone for its caller and told to operators`() throws {
    let scene = try RelayScene {
      $0.keptMessagesMax = 1
      $0.retentionEvery = .milliseconds(20)
      $0.deferredWriteMax = .milliseconds(5)
    }
    let caller = try scene.connect()
    var ids: [String] = []
    for number in 0..<4 {
      try begin(scene, Self.send("0.3"), "k-\(number)", dialect: "0.3", client: caller)
      let entry = try scene.take()
      #expect(try scene.verb("result", entry, "{\"text\":\"hi\"}").status == 200)
      #expect(try caller.answer().state == "completed")
      ids.append(entry.id)
    }
    let path = "/messages/\(ids[0])"
    var shown = try scene.client.call("GET", path, token: RelayScene.admin)
    for _ in 0..<2000 where shown.status == 200 {
      shown = try scene.client.call("GET", path, token: RelayScene.admin)
    }
    #expect(shown.status == 410 && shown.code == "answer_gone")
    let timeline = try scene.client.call(
      "GET", "/workspaces/\(scene.id)\(path)", token: RelayScene.admin)
    #expect(timeline.status == 200 && timeline.json["state"]?.string == "deleted")
    let again = try post(scene, Self.send("0.3"), "k-0", dialect: "0.3")
    #expect(again.text.contains("ANSWER_GONE"))
    let stranger = try scene.client.call("GET", path)
    #expect(stranger.status != 200 && stranger.status != 410)
  }
}
