import HTTPTestKit
import Relay
import Testing
import Wire

@testable import HTTPServer

@Suite struct HTTPConversationTests {
  let start = Instant(nanoseconds: 1_000)
  let times = Times(Limits())
  var second: Int64 { 1_000_000_000 }

  private func make() -> Conversation {
    Conversation(limits: HTTPLimits(), now: start, times: times)
  }

  private func feed(_ conversation: inout Conversation, _ text: String) {
    conversation.receive(Array(text.utf8).span)
  }

  /// Feeds a whole request and takes it to the application.
  private func handle(_ conversation: inout Conversation, _ text: String) throws {
    feed(&conversation, text)
    guard case .admit = conversation.next(now: start, times: times) else {
      throw HTTPTestClient.Failure.closed
    }
    conversation.admit(bodyMax: 100, until: start.after(times.body))
    guard case .handle = conversation.next(now: start, times: times) else {
      throw HTTPTestClient.Failure.closed
    }
  }

  @Test func `a fresh connection is closed when it stays idle`() {
    let conversation = make()
    #expect(conversation.deadline == start + .seconds(120))
    guard case .none = conversation.expired(now: start + .seconds(119)) else {
      Issue.record("too early")
      return
    }
    guard case .close = conversation.expired(now: start + .seconds(120)) else {
      Issue.record("not closed")
      return
    }
  }

  @Test func `the head's time counts from its first byte, not from its last`() {
    var conversation = make()
    for seconds in 0..<5 {
      feed(&conversation, "G")
      guard case .wait = conversation.next(now: start.after(second * Int64(seconds)), times: times)
      else {
        Issue.record("a head of five bytes")
        return
      }
      #expect(conversation.phase == .head)
      #expect(conversation.deadline == start + .seconds(10))
    }
    guard case .requestTimeout = conversation.expired(now: start + .seconds(10)) else {
      Issue.record("no time-out")
      return
    }
  }

  @Test func `nothing is due while the application has the request`() throws {
    var conversation = make()
    try handle(&conversation, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(conversation.phase == .handling)
    #expect(conversation.deadline == nil)
  }

  @Test func `the next request is not taken before the answer has been sent`() throws {
    var conversation = make()
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    try handle(&conversation, request + request)
    guard case .wait = conversation.next(now: start, times: times) else {
      Issue.record("two requests at once")
      return
    }
    conversation.answer(closes: false)
    guard case .wait = conversation.next(now: start, times: times),
      case .next = conversation.sent(now: start, times: times), conversation.hasInput,
      case .admit = conversation.next(now: start, times: times)
    else {
      Issue.record("the second request is lost")
      return
    }
    #expect(conversation.request == 2)
  }

  @Test func `an answer before the end of the body drains the connection`() {
    var conversation = make()
    feed(&conversation, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe")
    _ = conversation.next(now: start, times: times)
    conversation.refuse()
    conversation.answer(closes: false)
    #expect(!conversation.keepsAlive)
    guard case .drain = conversation.sent(now: start, times: times) else {
      Issue.record("closed with bytes unread")
      return
    }
  }

  @Test func `a failure without a head is not taken for the last request`() throws {
    var conversation = make()
    try handle(&conversation, "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    #expect(conversation.isHead && conversation.minor == 0)
    conversation.answer(closes: false)
    _ = conversation.sent(now: start, times: times)
    feed(&conversation, "\r\n\r\n\r\n\u{0}")
    guard case .fail = conversation.next(now: start, times: times) else {
      Issue.record("not refused")
      return
    }
    #expect(!conversation.isHead && conversation.minor == 1 && conversation.request == 2)
  }

  @Test func `the peer takes bytes or is cut off`() throws {
    var conversation = make()
    try handle(&conversation, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    conversation.answer(closes: false)
    conversation.stalled(now: start, times: times)
    conversation.stalled(now: start + .seconds(20), times: times)
    guard case .none = conversation.expired(now: start + .seconds(49)),
      case .cutOff = conversation.expired(now: start + .seconds(50))
    else {
      Issue.record("the time counts from the last progress")
      return
    }
  }
}
