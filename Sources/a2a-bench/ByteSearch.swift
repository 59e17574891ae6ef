import Glibc

extension Span<UInt8> {
  /// Where `pattern` begins, at or after `from`.
  func find(_ pattern: [UInt8], from: Int = 0) -> Int? {
    guard from + pattern.count <= count else { return nil }
    return withUnsafeBytes { bytes in
      pattern.withUnsafeBytes { pattern in
        guard let base = bytes.baseAddress, let first = pattern.first else { return nil }
        var at = from
        let last = bytes.count - pattern.count
        while at <= last {
          // libc looks at 32 bytes at a time; most of a message is not a candidate.
          guard let hit = memchr(base + at, Int32(first), last - at + 1) else { return nil }
          at = UnsafeRawPointer(hit) - base
          if memcmp(hit, pattern.baseAddress!, pattern.count) == 0 { return at }
          at += 1
        }
        return nil
      }
    }
  }

  /// Where `byte` is first, at or after `from`.
  func find(_ byte: UInt8, from: Int) -> Int? {
    var at = from
    while at < count {
      if self[at] == byte { return at }
      at += 1
    }
    return nil
  }

  /// The number of twelve digits at `at`.
  func number(at: Int) -> Int? {
    guard at + RequestBody.digits <= count else { return nil }
    var value = 0
    for place in at..<(at + RequestBody.digits) {
      let digit = self[place] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value * 10 + Int(digit)
    }
    return value
  }

  func text(_ range: Range<Int>) -> String {
    String(decoding: range.map { self[$0] }, as: UTF8.self)
  }
}

extension [UInt8] {
  mutating func append(_ span: borrowing Span<UInt8>) {
    span.withUnsafeBufferPointer { append(contentsOf: $0) }
  }
}
