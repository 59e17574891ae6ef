import Relay

/// A path cut at its slashes, once and without a copy. Empty segments count: `//health` is not
/// `/health`.
struct PathSegments {
  private let path: String
  /// The first segments; no route looks at more of them.
  private var places = InlineArray<5, Range<Int>>(repeating: 0..<0)
  private(set) var count = 0

  /// Cuts the path. The text before the first slash is no segment.
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

  /// Whether there is such a segment, among those that a route looks at.
  func reaches(_ index: Int) -> Bool { index < count && index < places.count }

  /// Whether there is such a segment, and it is this word.
  func has(_ index: Int, _ word: Span<UInt8>) -> Bool {
    guard reaches(index), places[index].count == word.count else { return false }
    let bytes = path.utf8.span
    var position = places[index].lowerBound
    for offset in word.indices {
      guard bytes[position] == word[offset] else { return false }
      position += 1
    }
    return true
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
}
