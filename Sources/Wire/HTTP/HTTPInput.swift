/// Bytes that have arrived and are not used up yet, handed out line by line.
///
/// Every byte is looked at once for a line's end, however the input was cut into pieces. Ranges it
/// hands out stay true until `consume`, so that a head of many lines needs no copy per line.
struct HTTPInput: Sendable {
  /// Limit: Bytes that an idle connection keeps allocated; more is freed.
  static let retainedBytesMax = 4096

  private(set) var bytes: [UInt8] = []

  /// The first byte not used up.
  private(set) var start = 0

  /// The index at which the next line begins.
  private(set) var lineStart = 0

  /// Bytes of the next line before this hold no line feed.
  private var scanned = 0

  var count: Int { bytes.count - start }

  /// The bytes allocated for input that is not used up yet.
  var heldBytes: Int { count == 0 ? 0 : bytes.capacity }

  mutating func append(_ more: Span<UInt8>, from first: Int = 0) {
    bytes.append(addingCapacity: more.count - first) { output in
      for index in first..<more.count { output.append(more[index]) }
    }
  }

  mutating func append(_ more: ArraySlice<UInt8>) { bytes.append(contentsOf: more) }

  /// The next whole line without its CR LF, or nil while it has no end.
  ///
  /// A line of more than `most` bytes is `tooLong` whether or not its end is there, and before
  /// anything else is said about it: the answer must not depend on how the input was cut.
  mutating func nextLine(most: Int, else tooLong: HTTPFailure) throws(HTTPFailure) -> Range<Int>? {
    let end = lineFeed()
    scanned = end
    let isWhole = end < bytes.count
    guard end - lineStart + (isWhole ? 1 : 0) <= most else { throw tooLong }
    guard isWhole else { return nil }
    // RFC 9112 §2.2 permits to take a lone LF as a line's end; front ends that disagree about it
    // can be played against each other, so it is refused.
    guard end > lineStart && bytes[end - 1] == HTTPCharacter.carriageReturn else {
      throw HTTPFailure(.bareLineBreak)
    }
    let line = lineStart..<(end - 1)
    lineStart = end + 1
    scanned = lineStart
    return line
  }

  /// Everything before the next line is used up. Ranges handed out so far mean nothing any more.
  mutating func consume() {
    start = lineStart
    compact()
  }

  /// Moves the next `count` bytes to the end of `body`.
  mutating func move(_ count: Int, to body: inout [UInt8]) {
    precondition(start == lineStart, "a head must be consumed before its body is taken")
    body.append(contentsOf: bytes[start..<(start + count)])
    skip(count)
  }

  /// Drops the next `count` bytes.
  mutating func skip(_ count: Int) {
    start += count
    lineStart = start
    scanned = start
    compact()
  }

  mutating func removeAll() { self = HTTPInput() }

  private func lineFeed() -> Int {
    let span = bytes.span
    let raw = unsafe span.bytes
    var index = scanned
    while span.count &- index >= 8 {
      // In bounds by the line above; any byte pattern is an integer.
      let loaded = unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
      // A byte that was a line feed is zero now, and the first zero byte borrows from no other.
      let word = UInt64(littleEndian: loaded) ^ 0x0A0A_0A0A_0A0A_0A0A
      let found = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
      if found != 0 { return index &+ found.trailingZeroBitCount &>> 3 }
      index &+= 8
    }
    while index < span.count && span[index] != HTTPCharacter.lineFeed { index &+= 1 }
    return index
  }

  /// Moving the rest to the front only when it is the smaller part keeps the total linear.
  private mutating func compact() {
    if start == bytes.count {
      bytes.removeAll(keepingCapacity: bytes.capacity <= Self.retainedBytesMax)
    } else if start > Self.retainedBytesMax && start > bytes.count / 2 {
      bytes.removeSubrange(0..<start)
    } else {
      return
    }
    scanned -= start
    lineStart -= start
    start = 0
  }
}
