/// The rule by which a message's body ends.
package enum HTTPFraming: Equatable, Sendable {
  case none
  case length(Int)
  case chunked
}

/// The fields that decide about the connection and the body, gathered in one walk over the head.
struct HTTPControlFields {
  var hosts = 0
  var host: Range<Int>?
  var lengths = 0
  var length: Range<Int>?
  var encodings = 0
  var encoding: Range<Int>?
  var expectations = 0
  var expectation: Range<Int>?

  init(_ headers: HTTPHeaders) {
    for field in headers.fields {
      switch field.name.count {
      case 4 where headers.spells(field.name, "host"):
        hosts += 1
        host = field.value
      case 6 where headers.spells(field.name, "expect"):
        expectations += 1
        expectation = field.value
      case 14 where headers.spells(field.name, "content-length"):
        lengths += 1
        length = field.value
      case 17 where headers.spells(field.name, "transfer-encoding"):
        encodings += 1
        encoding = field.value
      default: break
      }
    }
  }

  /// RFC 9112 §6.3. Nil when neither field is there.
  func framing(of headers: HTTPHeaders, minor: Int) throws(HTTPFailure) -> HTTPFraming? {
    if let encoding {
      // RFC 9112 §6.1: both lengths at once is a smuggling attempt.
      guard lengths == 0 else { throw HTTPFailure(.lengthAndEncoding) }
      // RFC 9112 §6.1: in HTTP/1.0 the framing is faulty, whatever it says.
      guard minor > 0 else { throw HTTPFailure(.encodingInHTTP10) }
      // RFC 9112 §6.1: a coding that is not understood is 501. chunked twice is not understood.
      guard encodings == 1, headers.spells(encoding, "chunked") else {
        throw HTTPFailure(.unsupportedEncoding)
      }
      return .chunked
    }
    guard let length else { return nil }
    // RFC 9112 §6.3 (5) lets equal repetitions pass; whoever sends them is broken or probing.
    guard lengths == 1 else { throw HTTPFailure(.repeatedContentLength) }
    return .length(try Self.number(headers.storage[length]))
  }

  /// RFC 9112 §9.3: HTTP/1.1 stays open unless told otherwise, HTTP/1.0 only when asked.
  static func keepAlive(_ headers: HTTPHeaders, minor: Int) -> Bool {
    if headers.hasToken("close", in: "connection") { return false }
    return minor > 0 || headers.hasToken("keep-alive", in: "connection")
  }

  /// RFC 9110 §8.6: `1*DIGIT`. What does not fit an Int is a number, and larger than any limit.
  private static func number(_ digits: ArraySlice<UInt8>) throws(HTTPFailure) -> Int {
    guard !digits.isEmpty else { throw HTTPFailure(.malformedContentLength) }
    var number = 0
    for digit in digits {
      guard HTTPCharacter.isDigit(digit) else { throw HTTPFailure(.malformedContentLength) }
      let (tens, over) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(digit - 0x30))
      number = over || carry || number == .max ? .max : sum
    }
    return number
  }
}
