import Glibc
import HTTPTestKit
import Relay
import Testing

@testable import Server
@testable import System

@Suite struct SupervisionTests {
  /// What was sent; the tests are on one thread.
  private final class Sent {
    var lines: [String] = []
    var error: SystemError?
  }

  private static func made(_ watchdog: Duration?, _ sent: Sent) -> Supervision {
    Supervision(watchdog: watchdog, log: Log(level: .error)) { text in
      sent.lines.append(text)
      return sent.error
    }
  }

  private static func at(_ seconds: Int64) -> Instant {
    Instant(nanoseconds: seconds * 1_000_000_000)
  }

  @Test func `signs of life come three times as often as they are asked for`() {
    let sent = Sent()
    var supervision = Self.made(.seconds(30), sent)
    supervision.turned(now: Self.at(0))
    #expect(sent.lines.isEmpty && supervision.nextSign == nil)
    supervision.ready(at: "http://here", now: Self.at(100))
    #expect(sent.lines == ["READY=1\nSTATUS=Listening on http://here"])
    #expect(supervision.nextSign == Self.at(110))
    supervision.turned(now: Self.at(109))
    #expect(sent.lines.count == 1)
    supervision.turned(now: Self.at(111))
    supervision.turned(now: Self.at(112))
    #expect(sent.lines.dropFirst() == ["WATCHDOG=1"])
    #expect(supervision.nextSign == Self.at(121))
    supervision.stopping()
    #expect(sent.lines.last == "STOPPING=1")
  }

  @Test func `without a watchdog no turn is made for it`() {
    let sent = Sent()
    var supervision = Self.made(nil, sent)
    supervision.ready(at: "http://here", now: Self.at(1))
    supervision.turned(now: Self.at(1000))
    #expect(sent.lines.count == 1 && supervision.nextSign == nil)
  }

  @Test func `a sign that cannot be sent is tried again a third later`() {
    let sent = Sent()
    sent.error = SystemError(call: "sendto NOTIFY_SOCKET", code: EAGAIN)
    var supervision = Self.made(.seconds(30), sent)
    supervision.ready(at: "http://here", now: Self.at(0))
    supervision.turned(now: Self.at(10))
    #expect(sent.lines.last == "WATCHDOG=1" && supervision.nextSign == Self.at(20))
  }

  @Test(
    arguments: [
      ([:], nil), (["WATCHDOG_USEC": "30000000"], .seconds(30)),
      (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"], .seconds(30)),
      (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"], nil),
      (["WATCHDOG_USEC": "0"], nil), (["WATCHDOG_USEC": "soon"], nil),
    ] as [([String: String], Duration?)])
  func `the watchdog is asked for by the environment`(variables: [String: String], asked: Duration?)
  {
    #expect(Supervision.watchdog({ variables[$0] }, process: 7) == asked)
  }

  @Test func `without a socket there is nobody to tell`() throws {
    let log = Log(level: .error)
    #expect(try Supervision(environment: { _ in nil }, process: 7, log: log) == nil)
    #expect(try Supervision(environment: { _ in "" }, process: 7, log: log) == nil)
    #expect(throws: SystemError.self) {
      try Supervision(environment: { _ in "relative" }, process: 7, log: log)
    }
  }

  @Test func `the server says that it lives and that it stops`() throws {
    // No time between two signs of life: every turn gives one.
    let server = try RelayTestServer(watchdog: .nanoseconds(3))
    _ = try HTTPTestClient(server).call("GET", "/health")
    server.stop()
    #expect(server.ended() == 0)
    #expect(server.told.first?.hasPrefix("READY=1") == true)
    #expect(server.told.contains("WATCHDOG=1"))
    #expect(server.told.contains("STOPPING=1"))
  }
}
