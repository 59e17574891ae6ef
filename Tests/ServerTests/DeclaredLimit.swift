import Foundation
import Relay

/// One bound as the sources declare it, read from their text.
struct DeclaredLimit {
  var name: String
  /// What stands behind the equals sign.
  var expression: String
  var text: String
  /// A path below `Sources`.
  var file: String
  /// The heading above it, in the two files that hold nothing but bounds.
  var section = ""

  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// All swift files below `Sources`, as paths, sorted.
  static var sources: [String] {
    let folder = root.appending(path: "Sources").path
    let walk = FileManager.default.enumerator(atPath: folder)
    return (walk?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".swift") }.sorted()
  }

  static func text(of file: String) throws -> String {
    try String(contentsOf: root.appending(path: "Sources/" + file), encoding: .utf8)
  }

  /// Returns every bound of a file that holds nothing else.
  static func all(of file: String) throws -> [DeclaredLimit] {
    try read(file, isMarked: { _ in true })
  }

  /// Returns the bounds of a file whose comment begins with "Limit: ".
  static func marked(in file: String) throws -> [DeclaredLimit] {
    try read(file, isMarked: { $0.hasPrefix("Limit: ") })
  }

  private static func read(_ file: String, isMarked: (String) -> Bool) throws -> [DeclaredLimit] {
    var found: [DeclaredLimit] = []
    var section = ""
    var comment: [Substring] = []
    for line in try text(of: file).split(separator: "\n", omittingEmptySubsequences: false) {
      let line = line.drop { $0 == " " }
      if line.hasPrefix("/// ") {
        comment.append(line.dropFirst(4))
        continue
      }
      if line.hasPrefix("// MARK: ") { section = String(line.dropFirst(9)) }
      let text = comment.joined(separator: " ")
      if let declaration = Declaration(line), isMarked(text) {
        found.append(
          DeclaredLimit(
            name: declaration.name, expression: declaration.expression,
            text: text.hasPrefix("Limit: ") ? String(text.dropFirst(7)) : text, file: file,
            section: section))
      }
      comment = []
    }
    return found
  }

  /// A constant or variable with a value on one line.
  struct Declaration {
    var name: String
    var expression: String
    var isStatic: Bool

    init?(_ line: Substring) {
      let words = line.split(separator: " ")
      guard let keyword = words.firstIndex(where: { $0 == "let" || $0 == "var" }),
        words[..<keyword].allSatisfy({
          ["package", "private", "fileprivate", "static"].contains($0)
        }),
        words.count > keyword + 3,
        let equals = words.firstIndex(of: "=")
      else { return nil }
      name = String(words[keyword + 1].prefix { $0 != ":" })
      expression = words[(equals + 1)...].joined(separator: " ")
      isStatic = words[..<keyword].contains("static")
    }

    /// Says whether it is a plain number or time, and not a bit pattern.
    var isNumber: Bool {
      DeclaredLimit.isDuration(expression)
        || !expression.isEmpty && expression.first?.isNumber == true
          && expression.allSatisfy { $0.isNumber || "_* .".contains($0) }
    }
  }

  // MARK: values

  static func isDuration(_ expression: String) -> Bool { expression.hasPrefix("Duration.") }

  private static func product(_ text: Substring) -> Int? {
    let factors = text.split(separator: "*").map {
      Int($0.filter { $0 != "_" && $0 != " " })
    }
    return factors.reduce(1) { product, factor in product.flatMap { all in factor.map { all * $0 } }
    }
  }

  /// What the bound is: nanoseconds of a time, otherwise the number.
  var value: Int? {
    guard Self.isDuration(expression) else { return Self.product(expression[...]) }
    let parts = expression.dropFirst(9).split(separator: "(")
    let units = ["seconds": 1_000_000_000, "milliseconds": 1_000_000, "microseconds": 1000]
    guard parts.count == 2, let unit = units[String(parts[0])],
      let count = Self.product(parts[1].dropLast())
    else { return nil }
    return count * unit
  }

  /// The value with its unit, for people.
  var shown: String {
    guard let value else { return expression }
    if Self.isDuration(expression) {
      let units = [
        ("days", 86_400_000_000_000), ("h", 3_600_000_000_000), ("min", 60_000_000_000),
        ("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1000),
      ]
      let unit = units.first { value % $0.1 == 0 } ?? ("ns", 1)
      let count = value / unit.1
      return unit.0 == "days" && count == 1 ? "1 day" : "\(count) \(unit.0)"
    }
    if name.hasSuffix("Percent") { return "\(value) %" }
    if name.contains("Bytes") || text.hasPrefix("Bytes") || text.hasPrefix("Free bytes") {
      let unit = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        .first { value % $0.1 == 0 }
      return unit.map { "\(value / $0.1) \($0.0)" } ?? "\(value) bytes"
    }
    return Self.grouped(value)
  }

  private static func grouped(_ value: Int) -> String {
    let digits = Array(String(value))
    var text = ""
    for (place, digit) in digits.enumerated() {
      if place > 0, (digits.count - place) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }
}
