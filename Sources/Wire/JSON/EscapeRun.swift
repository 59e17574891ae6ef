/// The search for the end of a run of escapes. A text that is written with many of them, one behind
/// the other, costs several times as much as plain text when they are looked at one by one.
enum EscapeRun {
  /// The index behind the good escapes that follow one another from `start` on, which is a
  /// backslash: some of them or none. What is not skipped is looked at by the caller: the rest of a
  /// run, an escape that is wrong, and one that stands for no character by itself.
  static func end(_ bytes: Span<UInt8>, from start: Int) -> Int {
    units(bytes, from: pairs(bytes, from: start))
  }

  /// Skips blocks of eight escapes of two bytes.
  private static func pairs(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var at = start
    while bytes.count &- at >= ByteBlock.count, ByteBlock(bytes, at: at).isEscapePairs {
      at &+= ByteBlock.count
    }
    return at
  }

  /// Skips escapes of the form `\uXXXX` that stand for a character.
  private static func units(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var at = start
    while at &+ 6 <= bytes.count, bytes[at] == UInt8(ascii: "\\"),
      bytes[at &+ 1] == UInt8(ascii: "u"), let unit = JSONText.unit(bytes, at: at), unit != 0,
      unit & 0xF800 != 0xD800
    {
      at &+= 6
    }
    return at
  }
}
