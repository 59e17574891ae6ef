/// The first line of a request: RFC 9112 §3.
struct HTTPRequestLine: Sendable {
  var method: String
  var target: String
  var path: String
  var query: String?
  var authority: String?
  var minor: Int

  /// Limit: Bytes of method, version and spaces beside a target of full length.
  static let overheadBytesMax = 64

  static func parse(_ line: Range<Int>, of bytes: [UInt8], limits: HTTPLimits)
    throws(HTTPFailure) -> HTTPRequestLine
  {
    let malformed = HTTPFailure(.malformedRequestLine)
    var index = line.lowerBound
    while index < line.upperBound && HTTPCharacter.isToken(bytes[index]) { index += 1 }
    let method = line.lowerBound..<index
    guard !method.isEmpty, index < line.upperBound, bytes[index] == HTTPCharacter.space else {
      throw bytes[line].contains(HTTPCharacter.carriageReturn)
        ? HTTPFailure(.bareLineBreak) : malformed
    }
    // RFC 9112 §3: single spaces. The version is split off at the last one.
    let targetStart = index + 1
    var targetEnd = line.upperBound
    while targetEnd > targetStart && bytes[targetEnd - 1] != HTTPCharacter.space { targetEnd -= 1 }
    guard targetEnd > targetStart + 1 else { throw malformed }
    let minor = try HTTPVersion.minor(of: bytes[targetEnd..<line.upperBound], else: malformed)
    let target = targetStart..<(targetEnd - 1)
    guard target.count <= limits.targetBytesMax else {
      throw HTTPFailure(.targetTooLong, limit: limits.targetBytesMax)
    }
    for index in target { try check(bytes[index]) }
    var parsed = HTTPRequestLine(
      method: String(decoding: bytes[method], as: UTF8.self),
      target: String(decoding: bytes[target], as: UTF8.self), path: "", minor: minor)
    try parsed.split(bytes[target])
    return parsed
  }

  /// RFC 9112 §3.2: white space makes the line ambiguous, and a fragment is never sent (RFC 9110
  /// §7.1). Other bytes outside a URL's alphabet must be percent-encoded.
  private static func check(_ byte: UInt8) throws(HTTPFailure) {
    guard byte > HTTPCharacter.space && byte < 0x7F else {
      switch byte {
      case HTTPCharacter.carriageReturn: throw HTTPFailure(.bareLineBreak)
      case HTTPCharacter.space: throw HTTPFailure(.malformedRequestLine)
      default: throw HTTPFailure(.malformedTarget)
      }
    }
    if byte == 0x23 { throw HTTPFailure(.malformedTarget) }
  }

  /// Finds path and query in any of the four forms of RFC 9112 §3.2.
  private mutating func split(_ target: ArraySlice<UInt8>) throws(HTTPFailure) {
    // RFC 9110 §9.3.6: CONNECT asks for a tunnel.
    if method == "CONNECT" { throw HTTPFailure(.tunnel) }
    if target.first == HTTPCharacter.slash { return splitPath(target) }
    if target.elementsEqual("*".utf8) {
      // RFC 9112 §3.2.4: the asterisk is only for OPTIONS.
      guard method == "OPTIONS" else { throw HTTPFailure(.malformedTarget) }
      path = "*"
      return
    }
    // RFC 9112 §3.2.2: a server must accept the absolute form, and take the host from it.
    let scheme = ["http://", "https://"].first { target.lowercasedStarts(with: $0) }
    guard let scheme else { throw HTTPFailure(.malformedTarget) }
    let rest = target.dropFirst(scheme.utf8.count)
    let end = rest.firstIndex { $0 == HTTPCharacter.slash || $0 == HTTPCharacter.question }
    let host = rest[..<(end ?? rest.endIndex)]
    guard !host.isEmpty, host.allSatisfy(HTTPCharacter.isAuthority) else {
      throw HTTPFailure(.malformedTarget)
    }
    authority = String(decoding: host, as: UTF8.self)
    splitPath(rest[host.endIndex...])
  }

  private mutating func splitPath(_ target: ArraySlice<UInt8>) {
    guard let mark = target.firstIndex(of: HTTPCharacter.question) else {
      path = target.isEmpty ? "/" : authority == nil ? self.target : Self.text(target)
      return
    }
    // RFC 9110 §4.2.3: an empty path of an absolute URL means "/".
    path = mark == target.startIndex ? "/" : Self.text(target[..<mark])
    query = Self.text(target[(mark + 1)...])
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }
}

/// `HTTP-version`, RFC 9112 §2.3: eight bytes, case-sensitive.
enum HTTPVersion {
  /// 1 or 0. Anything that is not a version at all is `malformed`, a version not spoken is 505.
  static func minor(of bytes: ArraySlice<UInt8>, else malformed: HTTPFailure)
    throws(HTTPFailure) -> Int
  {
    let start = bytes.startIndex
    guard bytes.count == 8, bytes.starts(with: "HTTP/".utf8),
      HTTPCharacter.isDigit(bytes[start + 5]), bytes[start + 6] == 0x2E,
      HTTPCharacter.isDigit(bytes[start + 7])
    else { throw malformed }
    guard bytes[start + 5] == 0x31, bytes[start + 7] <= 0x31 else {
      throw HTTPFailure(.unsupportedVersion)
    }
    return Int(bytes[start + 7] - 0x30)
  }
}

extension ArraySlice<UInt8> {
  fileprivate func lowercasedStarts(with word: String) -> Bool {
    count >= word.utf8.count
      && zip(self, word.utf8).allSatisfy { HTTPCharacter.lowercased($0) == $1 }
  }
}
