import Relay
import TestKit
import Testing
import Wire

/// The loops that look at several bytes at once, against the reference that looks at one.
@Suite struct JSONStringTests {
  /// What interrupts a run of plain text, well formed and not.
  private static let pieces: [[UInt8]] = [
    [0x22], [0x5C], [0x5C, 0x22], [0x5C, 0x5C], Array(#"\n"#.utf8), Array(#"\u00e9"#.utf8),
    Array(#"\ud83d\ude00"#.utf8), Array(#"\ud800"#.utf8), Array(#"\x"#.utf8), Array(#"\u12"#.utf8),
    [0x00], [0x01], [0x08], [0x09], [0x0A], [0x0B], [0x0C], [0x0D], [0x0E], [0x1F], [0x20], [0x21],
    [0x23], [0x5B], [0x5D], [0x7F], [0x80], [0xBF], [0xC0, 0xAF], [0xC2], [0xC3, 0xA9],
    [0xDF, 0xBF],
    [0xE0, 0x80, 0x80], [0xE0, 0xA0, 0x80], [0xE2, 0x82], [0xE2, 0x82, 0xAC], [0xED, 0x9F, 0xBF],
    [0xED, 0xA0, 0x80], [0xEF, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x9F, 0x98],
    [0xF0, 0x9F, 0x98, 0x80], [0xF4, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5], [0xFF],
    [0xC3, 0xA9, 0xC3, 0xA9], [0xE6, 0x97, 0xA5, 0xE6, 0x9C, 0xAC], [0xC3, 0xA9, 0x80],
  ]

  /// Compares reading and writing of one string, at eight alignments within its text.
  private func compare(_ value: [UInt8]) {
    let text = [0x22] + value + [0x22]
    let expected = JSONStringReference.problem(text)
    for spaces in 0..<8 {
      var found: (offset: Int, why: String)?
      do throws(JSONError) {
        try JSONScanner.validate((Array(repeating: 0x20, count: spaces) + text).span)
      } catch {
        found = (error.offset - spaces, "\(Self.name(error.problem))")
      }
      guard found?.offset != expected?.offset || found?.why != expected?.why else { continue }
      Issue.record("\(text) after \(spaces): \(String(describing: found))")
    }
    var writer = JSONWriter()
    writer.string(utf8: value)
    let written = JSONStringReference.written(value)
    if writer.bytes != written { Issue.record("\(value) is written \(writer.bytes)") }
    // Broken bytes are replaced when they are written, so only whole text comes back as it was.
    guard let whole = String(validating: value, as: UTF8.self) else { return }
    let back = (try? JSON(parsing: written))?.string
    if back != whole { Issue.record("\(value) is read back as \(back ?? "nothing")") }
  }

  private static func name(_ problem: JSONError.Problem) -> String { "\(problem)" }

  @Test func `every interruption is found at every place of strings up to 70 bytes`() {
    for length in 0...70 {
      let letters = (0..<length).map { UInt8(ascii: "a") + UInt8($0 % 26) }
      compare(letters)
      for (number, piece) in Self.pieces.enumerated() {
        for at in [number % (length + 1), length, length / 2] {
          compare(Array(letters[..<at]) + piece + letters[at...])
        }
      }
    }
    let letters = Array(repeating: UInt8(ascii: "x"), count: 24)
    for piece in Self.pieces {
      for at in 0...letters.count { compare(Array(letters[..<at]) + piece + letters[at...]) }
    }
  }

  @Test func `random mixtures are read and written like the reference does it`() {
    var random = Dice(seed: TestSeed.value)
    for _ in 0..<1500 {
      var value: [UInt8] = []
      for _ in 0..<Int.random(in: 0...6, using: &random) {
        let run = Int.random(in: 0...12, using: &random)
        for _ in 0..<run { value.append(UInt8.random(in: 0x20...0x7E, using: &random)) }
        value += Self.pieces.randomElement(using: &random) ?? []
      }
      compare(value)
    }
    for _ in 0..<1500 {
      let length = Int.random(in: 0...70, using: &random)
      compare((0..<length).map { _ in UInt8.random(in: 0...255, using: &random) })
    }
  }

  @Test func `a string of a valid text ends where it was found to end`() throws {
    var random = Dice(seed: TestSeed.value)
    let pieces = Self.pieces.filter {
      JSONStringReference.problem([0x22] + $0 + [0x22]) == nil
    }
    for _ in 0..<5000 {
      let few = (0..<3).map { _ in pieces.randomElement(using: &random) ?? [] }
      var text: [UInt8] = [0x22]
      for _ in 0..<Int.random(in: 0...80, using: &random) {
        text += few.randomElement(using: &random) ?? []
        let run = Bool.random(using: &random) ? 0 : Int.random(in: 0...40, using: &random)
        text += [UInt8](repeating: UInt8(ascii: "x"), count: run)
      }
      text += Array(#"","next\\\"""#.utf8)
      var first = JSONScanner()
      var again = JSONScanner(at: 0)
      #expect(try again.string(text.span) == first.string(text.span), "\(text)")
      #expect(again.index == first.index)
      // Where the quotes of the next one are must not matter.
      #expect(text[again.index] == UInt8(ascii: ","))
    }
  }

  @Test func `every single byte is found on every place of a word`() {
    for byte in 0...UInt8.max {
      for at in 0..<8 {
        var value = Array("abcdefghijklmnop".utf8)
        value[at] = byte
        compare(value)
      }
    }
  }

  @Test func `escapes are decoded with the text between them`() {
    for length in 0...20 {
      let run = String(repeating: "é-", count: length)
      for (escape, meaning) in [(#"\n"#, "\n"), (#"\""#, "\""), (#"\ud83d\ude00"#, "😀")] {
        let text = "\"" + run + escape + run + escape + escape + "\""
        let expected = run + meaning + run + meaning + meaning
        #expect((try? JSON(parsing: Array(text.utf8)))?.string == expected)
      }
    }
  }

  @Test func `an escape has four hexadecimal digits, and every unit is read`() throws {
    for place in 0..<4 {
      for byte in UInt8.min...UInt8.max {
        var digits = Array("0061".utf8)
        digits[place] = byte
        compare([0x5C, UInt8(ascii: "u")] + digits)
      }
    }
    for unit in UInt16.min...UInt16.max {
      let digits = String(unit, radix: 16, uppercase: unit % 2 == 0)
      let text = "\"\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits + "\""
      let read = try JSON(parsing: Array(text.utf8)).string
      #expect(read.map { Array($0.utf16) } == [(0xD800...0xDFFF).contains(unit) ? 0xFFFD : unit])
    }
  }
}
