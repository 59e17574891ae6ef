/// One header or trailer line: RFC 9112 §5.
enum HTTPFieldLine {
  /// Checks the line and finds its parts; the offsets in the answer count from `base`.
  static func parse(_ line: Range<Int>, of bytes: [UInt8], base: Int) throws(HTTPFailure)
    -> HTTPHeaders.Field
  {
    let span = bytes.span
    // RFC 9112 §5.2 and §2.2: a line that starts with white space folds the one before it, or
    // hides a field behind the request line. Both are refused.
    if HTTPCharacter.isBlank(span[line.lowerBound]) { throw HTTPFailure(.foldedField) }
    var colon = line.lowerBound
    while colon < line.upperBound && HTTPCharacter.isToken(span[colon]) { colon &+= 1 }
    // RFC 9112 §5.1: no white space between name and colon; the name has at least one character.
    guard colon < line.upperBound, colon > line.lowerBound, span[colon] == HTTPCharacter.colon
    else { throw HTTPFailure(.malformedField) }
    var start = colon + 1
    var end = line.upperBound
    while start < end && HTTPCharacter.isBlank(span[start]) { start += 1 }
    while end > start && HTTPCharacter.isBlank(span[end - 1]) { end -= 1 }
    var index = start
    while index < end && HTTPCharacter.isFieldValue(span[index]) { index &+= 1 }
    if index < end {
      // RFC 9110 §5.5: CR, LF and NUL in a value are dangerous; the message is refused.
      let isReturn = span[index] == HTTPCharacter.carriageReturn
      throw HTTPFailure(isReturn ? .bareLineBreak : .malformedField)
    }
    return HTTPHeaders.Field(
      nameStart: UInt32(line.lowerBound - base), nameEnd: UInt32(colon - base),
      valueStart: UInt32(start - base), valueEnd: UInt32(end - base))
  }
}
