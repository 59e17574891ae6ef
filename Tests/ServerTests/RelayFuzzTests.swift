import Engine
import HTTPTestKit
import Relay
import TestKit
import Testing
import Wire

@testable import Server

/// Random requests at every route: none may stop the relay, and each gets an answer.
@Suite struct RelayFuzzTests {
  private static let values = [
    "null", "true", "0", "-1", "1", "7", "1e400", "9223372036854775807", "-9223372036854775808",
    "99999999999999999999999", "1.5", "\"\"", "\"x\"", "\"\\u0000\"", "\"\\ud800\"", "[]", "[[]]",
    "{}", "{\"a\":1}", "\"L1\"", "\"Lffffffffffffffff\"", "\"L7fffffffffffffff\"", "\"completed\"",
  ]
  private static let names = [
    "id", "name", "workspace_id", "agent_card", "url", "calls", "poll", "op", "message", "lease",
    "result", "text", "state", "wait", "max", "confirm", "consumer", "lease_seconds",
    "delay_seconds", "reason", "callers", "when_offline", "keep_alive", "jsonrpc", "method",
    "params", "parts", "role", "messageId", "taskId", "contextId", "configuration", "blocking",
    "historyLength", "card_at", "securitySchemes", "delivery_mode",
  ]

  private func value(_ dice: inout Dice, _ ids: [String], depth: Int = 0) -> String {
    switch dice.next() % 8 {
    case 0 where depth < 3:
      let count = Int(dice.next() % 4)
      return "["
        + (0..<count).map { _ in value(&dice, ids, depth: depth + 1) }
        .joined(separator: ",") + "]"
    case 1...3 where depth < 4: return object(&dice, ids, depth: depth + 1)
    case 4: return "\"\(dice.pick(ids))\""
    default: return dice.pick(Self.values)
    }
  }

  private func object(_ dice: inout Dice, _ ids: [String], depth: Int = 0) -> String {
    let count = Int(dice.next() % 5)
    let members = (0..<count).map { _ in
      "\"\(dice.pick(Self.names))\":\(value(&dice, ids, depth: depth))"
    }
    return "{" + members.joined(separator: ",") + "}"
  }

  private func call(_ dice: inout Dice, _ ids: [String]) -> String {
    let method = dice.pick([
      "message/send", "SendMessage", "tasks/get", "GetTask", "CancelTask", "tasks/cancel",
      "ListTasks", "message/stream", "x",
    ])
    if dice.next() % 2 == 0 {
      return RelayScene.message(
        id: dice.pick(Self.values), messageID: dice.pick(ids), blocking: false)
    }
    let params =
      dice.next() % 2 == 0 ? "{\"id\":\"\(dice.pick(ids))\"}" : object(&dice, ids)
    return "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\(method)\",\"params\":\(params)}"
  }

  private func path(_ dice: inout Dice, _ ids: [String]) -> String {
    let one = dice.pick(ids)
    let two = dice.pick(ids)
    let query = "?wait=0&\(dice.pick(Self.names))=\(dice.pick(["0", "1", "x", "%", "%00", "-1"]))"
    return dice.pick([
      "/w/\(one)/", "/w/\(one)", "/w/\(one)/.well-known/agent-card.json", "/w/\(one)/tasks/\(two)",
      "/messages/\(one)", "/workspaces", "/workspaces/\(one)", "/workspaces/\(one)/inbox\(query)",
      "/workspaces/\(one)/inbox/\(two)/\(dice.pick(["claim", "extend", "release", "result", "x"]))",
      "/workspaces/\(one)/inbox/batch", "/workspaces/\(one)/messages/\(two)",
      "/workspaces\(query)&after=\(two)&limit=3", "/registry/register", "/registry/heartbeat",
      "/health", "/ready", "/\(one)", "/w//", "/workspaces//inbox", "//", "/%2e%2e/",
    ])
  }

  @Test func `random requests are answered, and the relay lives`() throws {
    var dice = Dice(seed: TestSeed.value)
    let scene = try RelayScene(.open, settings: ",\"callers\":\"agent\"") {
      $0.hold = .milliseconds(1)
      $0.keepAlive = .milliseconds(1)
      // A poll without a wait would outlast the client's patience.
      $0.pollWaitDefault = .milliseconds(1)
      $0.pollWaitMax = .seconds(1)
    }
    var ids = [
      scene.id, RelayAccessTests.unknown, RelayAccessTests.message, "x", "",
      "ffffffff-ffff-8fff-bfff-ffffffffffff", "00000000-0000-8000-8000-000000000000",
    ]
    var client = try scene.connect()
    for step in 0..<3000 {
      let path = path(&dice, ids)
      let body = path.hasPrefix("/w/") ? call(&dice, ids) : object(&dice, ids)
      let fields = dice.next() % 4 == 0 ? [("X-Relay-Lease", dice.pick(["L1", "x", ""]))] : []
      let answer: HTTPTestClient.Answer
      do {
        answer = try client.call(
          dice.pick(["POST", "POST", "POST", "GET", "HEAD", "PUT", "OPTIONS"]), path,
          token: dice.pick([nil, scene.token, scene.token, RelayScene.admin, "x"]), fields: fields,
          body: body)
      } catch {
        Issue.record("step \(step) of seed \(TestSeed.value): \(path) \(body): \(error)")
        return
      }
      #expect(answer.status < 500 || [501, 503].contains(answer.status), "step \(step): \(path)")
      if ids.count < 40, let id = answer.field("x-relay-message-id") { ids.append(id) }
      // A refusal may have ended the connection.
      if answer.field("connection") == "close" { client = try scene.connect() }
    }
    #expect(try scene.connect().call("GET", "/ready").status == 200)
    scene.server.stop()
    #expect(scene.server.ended() == 0)
  }
}

extension Dice {
  fileprivate mutating func pick<Element>(_ list: [Element]) -> Element {
    list[Int(next() % UInt64(list.count))]
  }
}
