import Relay
import Wire

/// Makes the bytes around the bodies of answers, in one buffer that is used again and again.
struct ResponseHeads {
  /// The bytes before the body of the answer that was made last.
  private(set) var bytes: [UInt8] = []
  private var date: [UInt8] = []
  private var dateSecond: Int64 = .min

  /// The answers that follow carry this date.
  mutating func setDate(_ now: Now) {
    let second = now.wall.nanoseconds / 1_000_000_000
    guard second != dateSecond else { return }
    dateSecond = second
    date = HTTPDate.format(secondsSince1970: second)
  }

  /// Makes the bytes before the body in `bytes`, and returns those after it.
  mutating func make(_ answer: HTTPResponse, on conversation: borrowing Conversation) -> [UInt8] {
    bytes.removeAll(keepingCapacity: true)
    guard conversation.isCommitted else {
      HTTPResponseWriter.appendHead(
        status: answer.status, headers: answer.headers,
        body: answer.isBodyless ? .none : .length(answer.body.count), minor: conversation.minor,
        keepAlive: conversation.keepsAlive, date: date, to: &bytes)
      return []
    }
    guard conversation.minor > 0 else { return [] }
    guard !answer.body.isEmpty else { return Array("0\r\n\r\n".utf8) }
    bytes.append(contentsOf: String(answer.body.count, radix: 16).utf8)
    bytes.append(contentsOf: "\r\n".utf8)
    return Array("\r\n0\r\n\r\n".utf8)
  }

  /// Returns the head of an answer that is streamed: its body follows in pieces.
  mutating func streamed(
    _ headers: [(String, String)], on conversation: borrowing Conversation, now: Now
  ) -> [UInt8] {
    setDate(now)
    var head: [UInt8] = []
    HTTPResponseWriter.appendHead(
      status: 200, headers: headers, body: HTTPResponseWriter.stream(toMinor: conversation.minor),
      minor: conversation.minor, keepAlive: conversation.keepsAlive, date: date, to: &head)
    return head
  }
}
