import Testing
import Wire

@Suite struct JSONScannerTests {
  func problem(_ text: [UInt8]) -> JSONError? {
    do throws(JSONError) {
      try JSONScanner.validate(text.span)
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: [
    "null", "true", "false", " \t\r\n0 ", "-0", "10", "1.5", "-1.25e+10", "1E-2", "0e0", "\"\"",
    #""a\"\\\/\b\f\n\r\té""#, "\"\u{7f}\u{e9}\u{20ac}\u{1f600}\u{10ffff}\"", "[]", "{}",
    "[ ]", "{ }", "[1,2 , 3]", #"{"a":1,"a":2}"#, #"{"":[{}]}"#, "123456789012345678901234567890",
    #""\ud83d\ude00""#, #""\ud800""#, #""\udc00x""#, #""\ud800\ud800""#,
  ]) func `valid JSON is taken`(text: String) {
    #expect(problem(Array(text.utf8)) == nil)
    #expect((try? JSON(parsing: Array(text.utf8))) != nil)
  }

  @Test(
    arguments: [
      ("", .unexpectedEnd), (" ", .unexpectedEnd), ("nul", .unexpectedEnd), ("nulL", .badLiteral),
      ("True", .unexpectedByte), ("+1", .unexpectedByte), (".5", .unexpectedByte),
      ("01", .badNumber), ("-", .unexpectedEnd), ("-a", .badNumber), ("1.", .unexpectedEnd),
      ("1.e1", .badNumber), ("1e", .unexpectedEnd), ("1e+", .unexpectedEnd), ("-01", .badNumber),
      ("1.2.3", .badNumber), ("0x1", .trailingBytes), ("NaN", .unexpectedByte),
      ("Infinity", .unexpectedByte), ("\"", .unexpectedEnd), ("\"a", .unexpectedEnd),
      ("\"\n\"", .controlCharacter), ("\"\u{0}\"", .controlCharacter), (#""\x""#, .badEscape),
      (#""\u12g4""#, .badEscape), (#""\u12"#, .unexpectedEnd), (#""\"#, .unexpectedEnd),
      ("'a'", .unexpectedByte), ("[", .unexpectedEnd), ("[1", .unexpectedEnd),
      ("[1,]", .unexpectedByte), ("[,1]", .unexpectedByte), ("[1 2]", .expectedComma),
      ("[1}", .expectedComma), ("]", .unexpectedByte), ("{", .unexpectedEnd),
      (#"{"a""#, .unexpectedEnd), (#"{"a":"#, .unexpectedEnd), (#"{"a":1"#, .unexpectedEnd),
      (#"{"a":1,}"#, .unexpectedByte), (#"{"a" 1}"#, .expectedColon), ("{a:1}", .expectedKey),
      ("{1:1}", .expectedKey), (#"{"a":1 "b":2}"#, .expectedComma), (#"{"a":1]"#, .expectedComma),
      ("1 2", .trailingBytes), ("{}{}", .trailingBytes), ("[]//", .trailingBytes),
      ("\u{FEFF}1", .byteOrderMark), ("\u{A0}1", .unexpectedByte), ("1\u{C}", .trailingBytes),
    ] as [(String, JSONError.Problem)])
  func `invalid JSON is refused with its reason`(text: String, expected: JSONError.Problem) {
    #expect(problem(Array(text.utf8))?.problem == expected)
    #expect((try? JSON(parsing: Array(text.utf8))) == nil)
  }

  @Test(
    arguments: [
      [0x80], [0xC0, 0xAF], [0xC2], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82],
      [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF],
      [0xF0, 0x9F, 0x98],
    ] as [[UInt8]]) func `a string that is not UTF-8 is refused`(bytes: [UInt8])
  {
    #expect(problem([0x22] + bytes + [0x22])?.problem == .badUTF8)
    #expect(problem([0x22] + bytes + [0x22])?.offset == 1)
  }

  @Test func `nesting is taken to its limit and no further`() {
    let most = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
    #expect(problem(Array(most.utf8)) == nil)
    #expect(problem(Array("[\(most)]".utf8))?.problem == .tooDeep)
    #expect(problem(Array(repeating: 0x5B, count: 100_000))?.problem == .tooDeep)
    let objects = String(repeating: #"{"a":"#, count: 129)
    #expect(problem(Array(objects.utf8))?.problem == .tooDeep)
    let wide = "[" + String(repeating: "[],{},", count: 500) + "0]"
    #expect(problem(Array(wide.utf8)) == nil)
  }

  @Test func `members and elements are counted over the whole text`() {
    let most = JSONScanner.valuesMax
    let flat = { (count: Int) in Array("[\(String(repeating: "0,", count: count - 1))0]".utf8) }
    #expect(problem(flat(most)) == nil)
    #expect(problem(flat(most + 1))?.problem == .tooManyValues)
    // Each pair is an element and a member in it.
    let pairs = { (count: Int) in
      Array("[\(String(repeating: #"{"a":0},"#, count: count - 1))[0]]".utf8)
    }
    #expect(problem(pairs(most / 2)) == nil)
    #expect(problem(pairs(most / 2 + 1))?.problem == .tooManyValues)
    #expect(throws: JSONError.self) { try JSON(parsing: flat(4), valuesMax: 3) }
    #expect((try? JSON(parsing: flat(3), valuesMax: 3))?.array?.count == 3)
  }

  @Test func `an error says where it is`() {
    let error = problem(Array(#"{"a": tru}"#.utf8))
    #expect(error?.offset == 9)
    #expect(error?.description == "byte 9: only true, false and null are literals")
  }

  @Test func `members are walked as ranges`() throws {
    let text = Array(#" { "a" : [1, {"x":2}] , "bA": "v" } "#.utf8)
    var scanner = JSONScanner()
    var names = JSONScanner.Names()
    var seen: [String] = []
    try scanner.begin(text.span)
    try scanner.enter(text.span)
    while let key = try scanner.nextKey(text.span, &names) {
      let value = try scanner.skip(text.span)
      seen.append(key.string(in: text.span) + "=" + String(decoding: text[value], as: UTF8.self))
    }
    try scanner.end(text.span)
    #expect(seen == [#"a=[1, {"x":2}]"#, #"bA="v""#])
  }

  @Test func `strings are decoded and lone surrogates repaired`() throws {
    for (raw, decoded) in [
      (#""\ud83d\ude00""#, "\u{1F600}"), (#""\ud800""#, "\u{FFFD}"), (#""\ud800\n""#, "\u{FFFD}\n"),
      (#""\ud800\u0041""#, "\u{FFFD}A"), (#""\udc00\ud800""#, "\u{FFFD}\u{FFFD}"),
      (#""\u0000\/\b\f""#, "\u{0}/\u{8}\u{C}"), (#""\u00e9é""#, "éé"),
      // The two scalars would be one Character; they stay two scalars.
      (#""\r\n""#, "\r\n"),
    ] {
      #expect(try JSON(parsing: Array(raw.utf8)) == .string(decoded))
    }
  }
}
