/// The status line and header fields of one response, as a client reads them.
package struct HTTPResponseHead: Equatable, Sendable {
  package let status: Int

  /// The reason phrase; it means nothing (RFC 9112 §4).
  package let reason: String

  package let headers: HTTPHeaders

  /// 0 for HTTP/1.0, 1 for HTTP/1.1.
  package let minor: Int

  /// Whether another request may be sent on this connection.
  package let keepAlive: Bool

  package let body: Body

  package enum Body: Equatable, Sendable {
    case none
    case length(Int)
    case chunked
    case untilClose

    init(_ framing: HTTPFraming?) {
      switch framing {
      case .length(let length): self = .length(length)
      case .chunked: self = .chunked
      // RFC 9112 §6.3 (8): the end of the connection is the end of the body.
      default: self = .untilClose
      }
    }
  }

  /// A response between the request and its answer, such as `100 Continue`.
  package var isInterim: Bool { status < 200 }

  /// `storage` begins with the status line, the offsets of `fields` count from there.
  init(line: Range<Int>, storage: [UInt8], fields: [HTTPHeaders.Field], toHEAD: Bool)
    throws(HTTPFailure)
  {
    (minor, status, reason) = try Self.parse(storage[line])
    headers = HTTPHeaders(storage: storage, fields: fields)
    // RFC 9110 §15.2.2: a server switches only to what was asked for, and nothing was.
    if status == 101 { throw HTTPFailure(.unaskedUpgrade) }
    let framing = try HTTPControlFields(headers).framing(of: headers, minor: minor)
    // RFC 9112 §6.3 (1): these have no body, whatever the fields say.
    let isBare = toHEAD || status < 200 || status == 204 || status == 304
    body = isBare ? .none : Body(framing)
    keepAlive = body != .untilClose && HTTPControlFields.keepAlive(headers, minor: minor)
  }

  /// RFC 9112 §4. The space before an empty reason phrase is often left out, and not missed here.
  private static func parse(_ line: ArraySlice<UInt8>) throws(HTTPFailure)
    -> (minor: Int, status: Int, reason: String)
  {
    let malformed = HTTPFailure(.malformedStatusLine)
    let start = line.startIndex
    guard line.count >= 12, line[start + 8] == HTTPCharacter.space else { throw malformed }
    let minor = try HTTPVersion.minor(of: line[start..<(start + 8)], else: malformed)
    var status = 0
    for digit in line[(start + 9)..<(start + 12)] {
      guard HTTPCharacter.isDigit(digit) else { throw malformed }
      status = status * 10 + Int(digit - 0x30)
    }
    let reason = line[(start + 12)...]
    guard (100...599).contains(status), reason.first ?? HTTPCharacter.space == HTTPCharacter.space,
      reason.allSatisfy(HTTPCharacter.isFieldValue)
    else { throw malformed }
    return (minor, status, String(decoding: reason.dropFirst(), as: UTF8.self))
  }
}
