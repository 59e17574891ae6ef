/// Header fields as they were sent: order, spelling, duplicates and empty values are kept.
///
/// All bytes lie in one array and a field is four offsets into it, so that reading a head costs two
/// allocations however many fields it has, and a lookup that finds nothing costs none.
package struct HTTPHeaders: Sendable {
  /// The ranges of a field's name and value in `storage`.
  struct Field: Sendable {
    var nameStart: UInt32
    var nameEnd: UInt32
    var valueStart: UInt32
    var valueEnd: UInt32

    var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
    var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
  }

  private(set) var storage: [UInt8] = []
  private(set) var fields: [Field] = []

  package init() {}

  /// Takes fields that a parser has checked; their offsets count from the first byte of `storage`.
  init(storage: [UInt8], fields: [Field]) {
    self.storage = storage
    self.fields = fields
  }

  /// Adds a field at the end. Nothing is checked here: `HTTPResponseWriter` checks what it writes.
  package mutating func append(name: String, value: String) {
    let nameStart = UInt32(storage.count)
    storage.append(contentsOf: name.utf8)
    let nameEnd = UInt32(storage.count)
    storage.append(contentsOf: value.utf8)
    fields.append(
      Field(
        nameStart: nameStart, nameEnd: nameEnd, valueStart: nameEnd,
        valueEnd: UInt32(storage.count)))
  }

  package var count: Int { fields.count }
  package var isEmpty: Bool { fields.isEmpty }

  /// The name as it was spelled by the sender.
  package func name(at index: Int) -> String { text(fields[index].name) }

  package func value(at index: Int) -> String { text(fields[index].value) }

  /// The value of the first field called `name`. Bytes that are not UTF-8 are repaired.
  package func first(_ name: String) -> String? {
    for field in fields where matches(field, name) { return text(field.value) }
    return nil
  }

  /// The bytes of the first field called `name`, not copied.
  package func firstBytes(_ name: String) -> ArraySlice<UInt8>? {
    for field in fields where matches(field, name) { return storage[field.value] }
    return nil
  }

  /// The values of every field called `name`, in the order sent.
  package func all(_ name: String) -> [String] {
    var values: [String] = []
    for field in fields where matches(field, name) { values.append(text(field.value)) }
    return values
  }

  package func contains(_ name: String) -> Bool {
    for field in fields where matches(field, name) { return true }
    return false
  }

  /// Whether `token` is a member of the comma-separated list that all fields called `name` form
  /// together (RFC 9110 §5.6.1), without regard to case.
  package func hasToken(_ token: String, in name: String) -> Bool {
    for field in fields where matches(field, name) && listHas(token, field.value) { return true }
    return false
  }

  /// Calls `body` with the bytes of each name and value, in the order sent.
  package func forEachPair(_ body: (ArraySlice<UInt8>, ArraySlice<UInt8>) -> Void) {
    for field in fields { body(storage[field.name], storage[field.value]) }
  }

  /// Whether the bytes at `range` spell `word`, ASCII letters in either case.
  func spells(_ range: Range<Int>, _ word: String) -> Bool {
    guard range.count == word.utf8.count else { return false }
    let word = word.utf8.span
    let there = storage.span
    let start = range.lowerBound
    for index in word.indices {
      let (one, other) = (there[start &+ index], word[index])
      guard one == other || HTTPCharacter.lowercased(one) == HTTPCharacter.lowercased(other)
      else { return false }
    }
    return true
  }

  private func matches(_ field: Field, _ name: String) -> Bool { spells(field.name, name) }

  private func text(_ range: Range<Int>) -> String {
    String(decoding: storage[range], as: UTF8.self)
  }

  /// RFC 9110 §5.6.1.2: empty members of a list are skipped.
  private func listHas(_ token: String, _ value: Range<Int>) -> Bool {
    var start = value.lowerBound
    while start < value.upperBound {
      var end = start
      while end < value.upperBound && storage[end] != HTTPCharacter.comma { end += 1 }
      let member = trimmed(start..<end)
      if !member.isEmpty && spells(member, token) { return true }
      start = end + 1
    }
    return false
  }

  private func trimmed(_ range: Range<Int>) -> Range<Int> {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end && HTTPCharacter.isBlank(storage[start]) { start += 1 }
    while end > start && HTTPCharacter.isBlank(storage[end - 1]) { end -= 1 }
    return start..<end
  }
}

extension HTTPHeaders: Equatable {
  /// Equal when the same names and values were sent in the same order and spelling.
  package static func == (left: HTTPHeaders, right: HTTPHeaders) -> Bool {
    guard left.count == right.count else { return false }
    for (one, other) in zip(left.fields, right.fields) {
      guard left.storage[one.name] == right.storage[other.name],
        left.storage[one.value] == right.storage[other.value]
      else { return false }
    }
    return true
  }
}
