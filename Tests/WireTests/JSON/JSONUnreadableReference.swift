import Wire

/// The rule of `JSONUnreadable`, one byte at a time over a text that is valid JSON: what the walk
/// that looks only where something may be wrong must agree with on every input.
struct JSONUnreadableReference {
  private let text: [UInt8]
  private var at = 0
  private var depth = 0
  private(set) var found: (problem: JSONUnreadable.Problem, path: String)?

  init(_ text: [UInt8]) {
    self.text = text
    value("")
  }

  private mutating func skipSpace() {
    while at < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[at]) { at += 1 }
  }

  private mutating func note(_ problem: JSONUnreadable.Problem, _ path: String) {
    if found == nil { found = (problem, path) }
  }

  private mutating func value(_ path: String) {
    skipSpace()
    switch text[at] {
    case UInt8(ascii: "\""): string(path)
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      depth += 1
      if depth > 47 { note(.depth, path) }
      if text[at] == UInt8(ascii: "{") { object(path) } else { array(path) }
      depth -= 1
    default:
      let start = at
      while at < text.count, !", \t\r\n]}".utf8.contains(text[at]) { at += 1 }
      let number = Double(String(decoding: text[start..<at], as: UTF8.self))
      if let number, !number.isFinite { note(.number, path) }
    }
  }

  private mutating func array(_ path: String) {
    at += 1
    skipSpace()
    var index = 0
    while text[at] != UInt8(ascii: "]") {
      value("\(path)[\(index)]")
      index += 1
      comma()
    }
    at += 1
  }

  private mutating func object(_ path: String) {
    at += 1
    skipSpace()
    var names: [[UInt8]] = []
    while text[at] != UInt8(ascii: "}") {
      let start = at
      let before = found == nil
      string("")
      let name = (try? JSON(parsing: text[start..<at]))?.string ?? ""
      let inside = (path.isEmpty ? "" : path + ".") + name.prefix(40)
      // A place inside a name is the member's.
      if before, let problem = found?.problem { found = (problem, inside) }
      if names.contains(Array(name.utf8)) { note(.repeated, inside) }
      names.append(Array(name.utf8))
      skipSpace()
      at += 1
      value(inside)
      comma()
    }
    at += 1
  }

  private mutating func comma() {
    skipSpace()
    if text[at] == UInt8(ascii: ",") { at += 1 }
    skipSpace()
  }

  private mutating func string(_ path: String) {
    at += 1
    while text[at] != UInt8(ascii: "\"") {
      guard text[at] == UInt8(ascii: "\\") else {
        at += 1
        continue
      }
      guard text[at + 1] == UInt8(ascii: "u") else {
        at += 2
        continue
      }
      let unit = unit(at)
      at += 6
      if unit == 0 { note(.null, path) }
      if (0xD800...0xDBFF).contains(unit), text[at] == UInt8(ascii: "\\"),
        text[at + 1] == UInt8(ascii: "u"), (0xDC00...0xDFFF).contains(self.unit(at))
      {
        at += 6
      } else if (0xD800...0xDFFF).contains(unit) {
        note(.surrogate, path)
      }
    }
    at += 1
  }

  private func unit(_ start: Int) -> Int {
    Int(String(decoding: text[start + 2..<start + 6], as: UTF8.self), radix: 16) ?? -1
  }
}
