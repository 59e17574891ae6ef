/// The reason why a text is not JSON, and the byte at which that became certain.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The fault. The text is for people; the case is for tests.
  package enum Problem: String, Sendable {
    case unexpectedEnd = "the text ends in the middle of a value"
    case unexpectedByte = "a value was expected here"
    case expectedKey = "a member name in double quotes was expected"
    case expectedColon = "a colon was expected after a member name"
    case expectedComma = "a comma or the closing bracket was expected"
    case controlCharacter = "a control character inside a string must be escaped"
    case badEscape = "an unknown escape inside a string"
    case badUTF8 = "a string holds bytes that are not UTF-8"
    case badNumber = "a number is not spelled as RFC 8259 allows"
    case badLiteral = "only true, false and null are literals"
    case tooDeep = "arrays and objects are nested more than 128 deep"
    case tooManyValues = "there are more members and elements than allowed"
    case trailingBytes = "there are bytes after the end of the value"
    case byteOrderMark = "a byte order mark is not allowed"
  }

  package let offset: Int
  package let problem: Problem

  package init(offset: Int, problem: Problem) {
    self.offset = offset
    self.problem = problem
  }

  package var description: String { "byte \(offset): \(problem.rawValue)" }
}
