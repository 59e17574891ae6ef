/// The distance between two words, for "did you mean".
package enum EditDistance {
  /// Returns how many letters have to be changed, added or removed to turn one word into the other.
  package static func between(_ left: some StringProtocol, _ right: some StringProtocol) -> Int {
    var row = Array(0...right.utf8.count)
    for (index, byte) in left.utf8.enumerated() {
      var corner = row[0]
      row[0] = index + 1
      for (column, letter) in right.utf8.enumerated() {
        let change = corner + (byte == letter ? 0 : 1)
        corner = row[column + 1]
        row[column + 1] = min(change, corner + 1, row[column] + 1)
      }
    }
    return row[right.utf8.count]
  }
}
