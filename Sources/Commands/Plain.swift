import Wire

/// Texts of values for people.
enum Plain {
  /// Text of others on a terminal: control characters and what reorders a line are shown as a
  /// replacement, so that no name can move the cursor or hide a row.
  static func text(_ text: String) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse:
        scalars.append("\u{FFFD}")
      default: scalars.append(scalar)
      }
    }
    return String(scalars)
  }

  /// A member as it stands; `–` where there is none.
  static func member(_ json: JSON?) -> String {
    switch json {
    case nil, .null: "–"
    case .string(let value): value.isEmpty ? "–" : text(value)
    case .number(let raw): raw
    case .bool(let value): value ? "yes" : "no"
    case .array(let list): list.isEmpty ? "–" : list.map { member($0) }.joined(separator: ", ")
    case .object(let members):
      members.map { "\(text($0.key))=\(member($0.value))" }.joined(separator: " ")
    }
  }

  /// `45s`, `3m`, `2h`, `5d`: two digits are enough to see what matters.
  static func age(seconds: Double) -> String {
    let seconds = max(0, seconds)
    if seconds < 1 { return seconds == 0 ? "0s" : "<1s" }
    for (unit, size) in [("d", 86_400.0), ("h", 3600), ("m", 60)] where seconds >= size {
      return "\(Int(seconds / size))\(unit)"
    }
    return "\(Int(seconds))s"
  }

  static func age(_ json: JSON?) -> String {
    guard case .number(let raw) = json, let seconds = Double(raw) else { return "–" }
    return age(seconds: seconds)
  }

  /// Returns how long ago a time in a response was.
  static func since(_ json: JSON?, now: Int64) -> String {
    guard let text = json?.string, let at = Timestamp.nanoseconds(rfc3339: text) else { return "–" }
    return age(seconds: Double(now - at) / 1_000_000_000)
  }

  static func bytes(_ json: JSON?) -> String {
    guard let count = json?.int else { return "–" }
    return bytes(Int64(count))
  }

  static func bytes(_ count: Int64) -> String {
    var value = Double(count)
    if value < 1024 { return "\(count) B" }
    for unit in ["KiB", "MiB", "GiB", "TiB"] {
      value /= 1024
      if value < 1024 || unit == "TiB" {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(unit)"
      }
    }
    return "\(count) B"
  }

  /// `0.0002` as `0.20 ms`.
  static func milliseconds(_ json: JSON?) -> String {
    guard case .number(let raw) = json, let seconds = Double(raw) else { return "–" }
    let hundredths = Int((seconds * 100_000).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) ms"
  }
}

/// Rows under a head, in columns that are as wide as they must be.
struct TextTable {
  struct Column {
    var title: String
    var isNumber = false

    init(_ title: String, isNumber: Bool = false) {
      self.title = title
      self.isNumber = isNumber
    }
  }

  let columns: [Column]
  private var rows: [[String]] = []

  init(_ columns: [Column]) { self.columns = columns }

  var isEmpty: Bool { rows.isEmpty }

  mutating func add(_ row: [String]) {
    precondition(row.count == columns.count, "a cell for each column")
    rows.append(row)
  }

  var text: String {
    let all = [columns.map(\.title)] + rows
    let widths = columns.indices.map { index in all.map { $0[index].count }.max() ?? 0 }
    return all.map { row in
      var line = ""
      for (index, cell) in row.enumerated() {
        let pad = String(repeating: " ", count: widths[index] - cell.count)
        line += columns[index].isNumber ? pad + cell : cell + pad
        if index + 1 < row.count { line += "  " }
      }
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}

/// Lines of a name and a value.
struct Facts {
  private var lines: [(String, String)] = []

  mutating func add(_ name: String, _ value: String) { lines.append((name, value)) }

  var text: String {
    let width = lines.map(\.0.count).max() ?? 0
    return lines.map { name, value in
      name + String(repeating: " ", count: width - name.count + 2) + value + "\n"
    }.joined()
  }
}
