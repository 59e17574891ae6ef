import Relay

/// What a mistyped path may have meant.
enum RouteSuggestions {
  /// For a path that is near to none: what most people need.
  private static let usual = [
    "/w/{id}/", "/workspaces/{id}/inbox", "/registry/register", "/messages/{message}", "/health",
  ]

  /// The paths that are served, each once, in the order of the table.
  static let served: [String] = {
    var seen: Set<String> = []
    return RouteTable.routes.filter { $0.refusal == nil }.map { $0.patterns[0] }
      .filter { seen.insert($0).inserted }
  }()

  /// Returns the served paths whose first word resembles this path's first word, the most similar
  /// ones first.
  static func nearest(_ path: String) -> String {
    let segments = split(path)
    let first = segments.first ?? ""
    let words = served.map { split($0)[0] }
    let word = words.min { distance(first, $0) < distance(first, $1) } ?? ""
    guard distance(first, word) <= word.utf8.count / 3 else { return usual.joined(separator: ", ") }
    let near = served.filter { split($0)[0] == word }
      .map { (path: $0, distance: distance(segments, split($0))) }
      .enumerated().sorted { ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset) }
    return near.prefix(Limits.suggestedPathsMax).map { shown($0.element.path) }.joined(
      separator: ", ")
  }

  private static func split(_ path: String) -> [Substring] {
    path.split(separator: "/", maxSplits: 8, omittingEmptySubsequences: false).dropFirst().map(
      \.self)
  }

  /// An id that is no id is no route: nobody who asks for a path has to know that.
  private static func shown(_ pattern: String) -> String { pattern.replacing("{?", with: "{") }

  private static func distance(_ path: [Substring], _ pattern: [Substring]) -> Int {
    var sum = 0
    for index in 0..<max(path.count, pattern.count) {
      let segment = index < path.count ? path[index] : ""
      let word = index < pattern.count ? pattern[index] : ""
      // Any text may stand for a parameter.
      if !segment.isEmpty, word.hasPrefix("{") { continue }
      sum += distance(segment, word.hasPrefix("{") ? "id" : word)
    }
    return sum
  }

  /// How many letters of the segment would have to change, come or go to make it `word`; a longer
  /// segment than any route has is far from all of them.
  private static func distance(_ segment: Substring, _ word: Substring) -> Int {
    guard segment.utf8.count <= Limits.comparedSegmentMax else { return segment.utf8.count }
    return EditDistance.between(segment, word)
  }
}
