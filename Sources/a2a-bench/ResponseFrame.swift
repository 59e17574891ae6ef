/// Where one HTTP response lies in the bytes received, found without copying any of them.
///
/// The whole parser is in Wire; this one reads the three things that a load generator needs and
/// trusts the server with the rest.
struct ResponseFrame {
  var status: Int
  /// The body; of a chunked one with the chunk sizes in between.
  var body: Range<Int>

  private static let headEnd: [UInt8] = [13, 10, 13, 10]
  private static let chunksEnd: [UInt8] = [13, 10, 48, 13, 10, 13, 10]

  /// `nil` while the response is not whole.
  init?(_ bytes: borrowing Span<UInt8>) {
    guard let end = bytes.find(Self.headEnd) else { return nil }
    status = Self.digits(bytes, 9..<12)
    let start = end + 4
    switch Self.framing(bytes, headEnd: end) {
    case .length(let length):
      guard bytes.count >= start + length else { return nil }
      body = start..<(start + length)
    case .chunked:
      guard let last = bytes.find(Self.chunksEnd, from: end + 2) else { return nil }
      body = start..<(last + Self.chunksEnd.count)
    }
  }

  private enum Framing {
    case length(Int)
    case chunked
  }

  private static func framing(_ bytes: borrowing Span<UInt8>, headEnd: Int) -> Framing {
    var at = 0
    while let end = bytes.find(10, from: at), end < headEnd {
      at = end + 1
      guard at + 17 < bytes.count else { break }
      // `Content-Length: ` and `Transfer-Encoding: ` differ from all others in letter and colon.
      let first = bytes[at] | 0x20
      if first == UInt8(ascii: "c"), bytes[at + 14] == UInt8(ascii: ":") {
        let line = bytes.find(13, from: at) ?? headEnd
        return .length(digits(bytes, (at + 15)..<line))
      }
      if first == UInt8(ascii: "t"), bytes[at + 17] == UInt8(ascii: ":") { return .chunked }
    }
    return .length(0)
  }

  private static func digits(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Int {
    var value = 0
    for place in range where bytes[place] != 0x20 {
      value = value * 10 + Int(bytes[place] &- UInt8(ascii: "0"))
    }
    return value
  }
}
