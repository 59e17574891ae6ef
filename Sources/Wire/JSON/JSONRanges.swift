/// The ranges of values in a JSON text, for values that are kept as they came. The text has been
/// read without an error; of members with the same name the last counts, as in `JSON`.
package enum JSONRanges {
  /// The elements of the array at `range`.
  package static func elements(at range: Range<Int>, in text: [UInt8]) -> [Range<Int>] {
    JSONMembers.elements(text.span, in: range)
  }

  /// The member `name` of the object at `range`.
  package static func member(
    _ name: String, of range: Range<Int>, in text: [UInt8]
  ) -> Range<Int>? {
    JSONMembers(text.span, in: range).list.last { $0.name == name }?.value
  }

  /// The members of these names of the object at `range`, and no others: an object with none of
  /// them is empty, and so is what is no object. Arrays and objects among them are empty, too.
  package static func object(
    of names: [String], at range: Range<Int>, in text: [UInt8]
  ) -> JSON {
    let members = JSONMembers(text.span, in: range).list.filter { names.contains($0.name) }
    return .object(
      members.compactMap { member in
        switch member.kind {
        case .array: JSON.Member(member.name, [])
        case .object: JSON.Member(member.name, [:])
        default:
          (try? JSON(parsing: text[member.value])).map { JSON.Member(member.name, $0) }
        }
      })
  }
}
