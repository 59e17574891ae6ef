import Relay

/// A path cut at its slashes, once and without a copy. Empty segments count: `//health` is not
/// `/health`.
struct PathSegments {
  private let path: String
  /// The first ones; no route looks at more of them.
  private var places = InlineArray<5, Range<Int>>(repeating: 0..<0)
  private(set) var count = 0

  /// What stands before the first slash is no segment.
  init(_ path: String) {
    self.path = path
    let bytes = path.utf8.span
    var start: Int?
    for index in bytes.indices where bytes[index] == UInt8(ascii: "/") {
      if let start { append(start..<index) }
      start = index + 1
    }
    if let start { append(start..<bytes.count) }
  }

  private mutating func append(_ place: Range<Int>) {
    if count < places.count { places[count] = place }
    count += 1
  }

  func isEmpty(_ index: Int) -> Bool { places[index].isEmpty }

  /// Whether there is such a segment, and it is this word.
  func has(_ index: Int, _ word: String) -> Bool {
    index < count && index < places.count && spells(places[index], word)
  }

  func workspace(_ index: Int) -> WorkspaceID? {
    WorkspaceID(path.utf8.span.extracting(places[index]))
  }

  func text(_ index: Int) -> String {
    String(decoding: Array(path.utf8)[places[index]], as: UTF8.self)
  }

  func message(_ index: Int) -> MessageID? {
    MessageID(path.utf8.span.extracting(places[index]))
  }

  /// How many letters of the first segment would have to change, come or go to make it `word`; a
  /// longer segment than any route has is far from all of them.
  func distance(to word: String) -> Int {
    let place = count > 0 ? places[0] : 0..<0
    guard place.count <= 16 else { return place.count }
    return EditDistance.between(text(0), word)
  }

  private func spells(_ place: Range<Int>, _ word: String) -> Bool {
    let bytes = path.utf8.span
    guard place.count == word.utf8.count else { return false }
    var index = place.lowerBound
    for byte in word.utf8 {
      guard bytes[index] == byte else { return false }
      index += 1
    }
    return true
  }
}
