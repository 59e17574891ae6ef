/// A JSON-RPC send of exactly 1 KiB, with places for a number that makes it a new message.
struct RequestBody {
  static let bytesMax = 1024
  static let digits = 12

  var bytes: [UInt8]
  /// Where the number's twelve digits are.
  let slots: [Int]

  /// A `message/send` of A2A 0.3. `prefix` keeps the message ids of two runs apart.
  static func send(prefix: String, blocking: Bool) -> RequestBody {
    let number = String(repeating: "0", count: digits)
    let open =
      #"{"jsonrpc":"2.0","id":1,"method":"message/send","params":{"message":{"kind":"message","#
      + #""role":"user","messageId":"\#(prefix)-\#(number)","parts":[{"kind":"text","text":"#
      + #""question-\#(number) "#
    let close = #""}]},"configuration":{"blocking":\#(blocking)}}}"#
    var bytes = Array(open.utf8)
    let filling = Array("the quick brown fox jumps over the lazy dog, ".utf8)
    while bytes.count + close.utf8.count < bytesMax {
      bytes.append(filling[bytes.count % filling.count])
    }
    bytes.append(contentsOf: close.utf8)
    return RequestBody(bytes: bytes, slots: Self.slots(of: number, in: bytes))
  }

  private static func slots(of number: String, in bytes: [UInt8]) -> [Int] {
    let pattern = Array(number.utf8)
    var slots: [Int] = []
    var from = 0
    while let at = bytes.span.find(pattern, from: from) {
      slots.append(at)
      from = at + pattern.count
    }
    return slots
  }
}

/// A whole HTTP request that is sent again and again with another number in it.
struct NumberedRequest {
  private(set) var bytes: [UInt8]
  private let slots: [Int]

  init(head: [UInt8], body: RequestBody) {
    bytes = head + body.bytes
    slots = body.slots.map { $0 + head.count }
  }

  mutating func setNumber(_ number: Int) {
    for slot in slots {
      var rest = number
      for place in stride(from: slot + RequestBody.digits - 1, through: slot, by: -1) {
        bytes[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      }
    }
  }
}
