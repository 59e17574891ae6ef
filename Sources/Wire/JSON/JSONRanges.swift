/// Where values of a JSON text stand in it, for what is kept as it came. The text has been read
/// without an error; of members with the same name the last counts, as in `JSON`.
package enum JSONRanges {
  /// The elements of the array `name`, a member of the object that is the whole text.
  package static func elements(of name: String, in text: [UInt8]) -> [Range<Int>] {
    let span = text.span
    var scanner = JSONScanner()
    guard (try? scanner.begin(span)) != nil else { return [] }
    let members = JSONMembers(span, in: scanner.index..<text.count)
    guard let array = members.list.last(where: { $0.name == name }) else { return [] }
    return JSONMembers.elements(span, in: array.value)
  }

  /// The member `name` of the object at `range`.
  package static func member(
    _ name: String, of range: Range<Int>, in text: [UInt8]
  ) -> Range<Int>? {
    JSONMembers(text.span, in: range).list.last { $0.name == name }?.value
  }
}
