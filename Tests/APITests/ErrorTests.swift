import Engine
import Relay
import Testing
import Wire

@testable import API

/// Errors, in the relay's own form and in JSON-RPC's.
@Suite struct ErrorTests {
  private let renderer = Renderer(urls: PublicURLs("http://relay"), Limits())

  private func json(_ reply: Reply) throws -> JSON {
    try JSON(parsing: renderer.response(to: reply).body)
  }

  @Test func `an error says its code and what it knows`() throws {
    let reply = Reply(call: 1, error: .closed, detail: "late", facts: .ended(.cancelledByCaller))
    let rendered = renderer.response(to: reply)
    let json = try JSON(parsing: rendered.body)
    #expect(rendered.status == RelayError.closed.status)
    #expect(json["code"]?.string == RelayError.closed.code)
    #expect(json["error"]?.string == "\(RelayError.closed.text): late")
    #expect(json["cancelled"] == true && json["reason"] == "cancelled")
    let deleted = Reply(call: 1, error: .closed, facts: .deleted(isPurged: false))
    #expect(try self.json(deleted)["reason"] == "deleted")
    #expect(
      renderer.response(to: Reply(call: 1, error: .unauthorized)).headers
        .contains { $0.0 == "WWW-Authenticate" })
  }

  @Test func `a JSON-RPC caller gets 200, a client of the platform the error's status`() throws {
    for (method, status) in [(nil, 200), ("message/send", RelayError.notStored.status)] {
      let caller = Addressee(
        call: 1, id: Array("7".utf8), dialect: .v10, historyLength: nil, platformMethod: method)
      let rendered = renderer.response(to: caller.reply(.notStored))
      let json = try JSON(parsing: rendered.body)
      #expect(rendered.status == status && json["id"]?.int == 7)
      #expect(json["error"]?["code"]?.int == RelayError.notStored.rpcCode)
    }
  }

  @Test func `each part of a batch has its own status`() throws {
    let parts = [Reply(call: 2, .released), Reply(call: 3, error: .leaseLost)]
    let json = try json(
      Reply(
        call: 1, .batch(results: parts, poll: Reply(call: 1, .noMessages(retryAfterSeconds: 3)))))
    let results = try #require(json["results"]?.array)
    #expect(results.map { $0["status"]?.int } == [200, RelayError.leaseLost.status])
    #expect(results[0]["body"] == ["status": "released"])
    #expect(json["poll"] == ["status": .number("204")])
  }
}
