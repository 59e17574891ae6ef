/// The tokens of RFC 8259: strings (§7), numbers (§6) and the three literals (§3).
extension JSONScanner {
  /// Scans the string whose opening quote is here.
  package mutating func string(_ bytes: Span<UInt8>) throws(JSONError) -> Text {
    if isInside { return try validString(bytes) }
    let start = index + 1
    var at = start
    var isEscaped = false
    while true {
      at = PlainRun.end(bytes, from: at)
      guard at < bytes.count else { break }
      let byte = bytes[at]
      if byte == UInt8(ascii: "\"") {
        index = at + 1
        return Text(range: start..<at, isEscaped: isEscaped)
      }
      if byte == UInt8(ascii: "\\") {
        isEscaped = true
        at = try escape(bytes, at: at)
        // Escapes stand together in texts that are written with them.
        while at < bytes.count && bytes[at] == UInt8(ascii: "\\") {
          let end = EscapeRun.end(bytes, from: at)
          at = end > at ? end : try escape(bytes, at: at)
        }
        continue
      }
      guard byte >= 0x20 else { throw JSONError(offset: at, problem: .controlCharacter) }
      // Letters of other scripts stand together: they are walked one by one up to the next ASCII.
      repeat {
        let length = UTF8Check.length(bytes, at: at)
        guard length > 0 else { throw JSONError(offset: at, problem: .badUTF8) }
        at += length
      } while at < bytes.count && bytes[at] >= 0x80
    }
    throw JSONError(offset: at, problem: .unexpectedEnd)
  }

  /// Finds the end of the string whose opening quote is here, in a text that was validated.
  private mutating func validString(_ bytes: Span<UInt8>) throws(JSONError) -> Text {
    let start = index + 1
    var at = PlainRun.end(bytes, from: start)
    if at < bytes.count, bytes[at] == UInt8(ascii: "\"") {
      index = at + 1
      return Text(range: start..<at, isEscaped: false)
    }
    var isEscaped = false
    while at < bytes.count {
      let next = QuoteSearch.block(bytes, from: at, &isEscaped)
      // The blocks before may have ended in the middle of an escape.
      at = QuoteSearch.isEscaped(bytes, at: next, from: start) ? next &+ 1 : next
      let end = min(bytes.count, at &+ QuoteSearch.walkBytes)
      while at < end {
        if bytes[at] == UInt8(ascii: "\"") {
          index = at + 1
          return Text(range: start..<at, isEscaped: isEscaped)
        }
        let isEscape = bytes[at] == UInt8(ascii: "\\")
        if isEscape { isEscaped = true }
        at &+= isEscape ? 2 : 1
      }
    }
    throw JSONError(offset: bytes.count, problem: .unexpectedEnd)
  }

  /// Checks the escape whose backslash is at `start` and returns the index behind it.
  @inline(__always) private mutating func escape(
    _ bytes: Span<UInt8>, at start: Int
  ) throws(JSONError) -> Int {
    guard start &+ 1 < bytes.count else {
      throw JSONError(offset: bytes.count, problem: .unexpectedEnd)
    }
    switch bytes[start &+ 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return start &+ 2
    case UInt8(ascii: "u"):
      guard let unit = JSONText.unit(bytes, at: start) else {
        throw badUnit(bytes, at: start)
      }
      if unit == 0 || unit & 0xF800 == 0xD800 {
        return endOfRare(unit, bytes, at: start)
      }
      return start &+ 6
    default:
      throw JSONError(offset: start &+ 1, problem: .badEscape)
    }
  }

  /// The end of an escape that stands for no character by itself, with its other half if it has
  /// one. Without, no reader has to take it.
  private mutating func endOfRare(_ unit: UInt32, _ bytes: Span<UInt8>, at start: Int) -> Int {
    if JSONText.isPair(unit, bytes, at: start, upTo: bytes.count) { return start + 12 }
    isSuspect = true
    return start + 6
  }

  private func badUnit(_ bytes: Span<UInt8>, at start: Int) -> JSONError {
    let end = min(start + 6, bytes.count)
    for at in start + 2..<end where JSONText.hex(bytes[at]) == nil {
      return JSONError(offset: at, problem: .badEscape)
    }
    return JSONError(offset: end, problem: .unexpectedEnd)
  }

  /// Scans the number that starts here.
  package mutating func number(_ bytes: Span<UInt8>) throws(JSONError) {
    let start = index
    if bytes[index] == UInt8(ascii: "-") { index += 1 }
    // RFC 8259 §6: no leading zeros.
    if index < bytes.count && bytes[index] == UInt8(ascii: "0") {
      index += 1
    } else {
      try digits(bytes)
    }
    if index < bytes.count && bytes[index] == UInt8(ascii: ".") {
      index += 1
      try digits(bytes)
    }
    if index < bytes.count && bytes[index] | 0x20 == UInt8(ascii: "e") {
      isSuspect = true
      index += 1
      if index < bytes.count
        && (bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-"))
      {
        index += 1
      }
      try digits(bytes)
    }
    if index - start > JSONUnreadable.digitsMax { isSuspect = true }
    // `01`, `1.2.3`, `1x`: what follows a number must not look like more of it.
    guard index < bytes.count else { return }
    switch bytes[index] {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
      UInt8(ascii: "+"):
      throw fail(.badNumber)
    default: return
    }
  }

  private mutating func digits(_ bytes: Span<UInt8>) throws(JSONError) {
    let start = index
    while index < bytes.count && bytes[index] &- UInt8(ascii: "0") < 10 { index += 1 }
    guard index > start else { throw fail(index < bytes.count ? .badNumber : .unexpectedEnd) }
  }

  /// Scans `true`, `false` or `null`.
  package mutating func literal(_ bytes: Span<UInt8>) throws(JSONError) {
    switch bytes[index] {
    case UInt8(ascii: "t"): try word("true", bytes)
    case UInt8(ascii: "f"): try word("false", bytes)
    default: try word("null", bytes)
    }
  }

  private mutating func word(_ word: String, _ bytes: Span<UInt8>) throws(JSONError) {
    for byte in word.utf8 {
      guard index < bytes.count else { throw fail(.unexpectedEnd) }
      guard bytes[index] == byte else { throw fail(.badLiteral) }
      index += 1
    }
  }
}
