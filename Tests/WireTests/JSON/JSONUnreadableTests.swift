import Relay
import TestKit
import Testing
import Wire

@Suite struct JSONUnreadableTests {
  private func first(_ text: String) -> JSONUnreadable? {
    JSONUnreadable.first(in: Array(text.utf8).span)
  }

  @Test(
    arguments: [
      (#""\ud83d""#, .surrogate, ""), (#"{"a":["x","\uDC00"]}"#, .surrogate, "a[1]"),
      (#"["\ud83d\ud83d\ude00"]"#, .surrogate, "[0]"), (#"["\ud83dx\ude00"]"#, .surrogate, "[0]"),
      (#"["\ud83d\\ude00"]"#, .surrogate, "[0]"), (#"["\ude00\ud83d"]"#, .surrogate, "[0]"),
      (#"["é\n\ud83d\u0041"]"#, .surrogate, "[0]"), (#"{"a":{"\udfff":1}}"#, .surrogate, "a.�"),
      (#"{"a":"x\u0000y"}"#, .null, "a"), (#"{"a":{"\u0000":1}}"#, .null, "a.\u{0}"),
      ("[1e400]", .number, "[0]"), (#"{"a":-1E+309}"#, .number, "a"),
      ("[1" + String(repeating: "0", count: 309) + "]", .number, "[0]"),
      (#"{"a":1,"a":1}"#, .repeated, "a"), (#"{"a":{"b":1,"c":2,"\u0062":3}}"#, .repeated, "a.b"),
      (#"{"a":null,"b":[{"x":1,"x":1}]}"#, .repeated, "b[0].x"),
    ] as [(String, JSONUnreadable.Problem, String)])
  func `what some reader stumbles over is found, with its place`(
    text: String, problem: JSONUnreadable.Problem, path: String
  ) throws {
    let unreadable = try #require(first(text))
    #expect(unreadable.problem == problem && unreadable.path == path)
    #expect((try? JSONScanner.validate(Array(text.utf8).span)) != nil, "it is JSON")
  }

  @Test(arguments: [
    #""\ud83d\ude00""#, #""é\\ud83d""#, #""\\\\ud83d""#, #"["\uffff","\u0001","\/"]"#, "1.7e308",
    "-1e-400", String(repeating: "9", count: 308), "0." + String(repeating: "1", count: 5000),
    #"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}"#, #"{"é":1,"e\u0301":2}"#, #"{"a":1,"A":2}"#,
    "[]", "{}", "not JSON", "", #"{"a":1,"a""#,
  ]) func `everything else is left to the readers`(text: String) { #expect(first(text) == nil) }

  @Test func `the bound of nesting counts arrays and objects`() {
    func nested(_ depth: Int, _ open: String, _ close: String) -> String {
      String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
    }
    let max = JSONUnreadable.depthMax
    #expect(first(nested(max, "[", "]")) == nil)
    #expect(first(nested(max, "{\"a\":", "}")) == nil)
    #expect(first(nested(max + 1, "[", "]"))?.problem == .depth)
    #expect(first(nested(max + 1, "{\"a\":", "}"))?.problem == .depth)
    #expect(JSONUnreadable.Problem.depth.rawValue.contains("nested \(max) deep"))
  }

  @Test func `a repeated name is found among many`() {
    for place in [0, 15, 16, 17, 4000] {
      let members = (0...5000).map { "\"m\($0)\":1" }.joined(separator: ",")
      #expect(first("{\(members)}") == nil)
      #expect(first("{\(members),\"m\(place)\":2}")?.path == "m\(place)")
    }
  }

  /// Pieces of strings and names; some make a pair together, or one name in two spellings.
  private static let pieces = [
    "a", "b", "ab", "é", "\\n", "\\\\", "\\/", "\\u0061", "\\u00e9", "\\ud83d\\ude00", "\\uD83D",
    "\\ude00",
    "\\u0000", "\\ufffd", "metadata", "contextId", "a long name of many letters", "日本語",
  ]
  private static let numbers = [
    "0", "-1.5", "1e3", "1.7e308", "1e309", "-1E+400", String(repeating: "9", count: 308),
    String(repeating: "9", count: 310), "0." + String(repeating: "3", count: 400),
  ]

  private static func string(_ random: inout Dice, rare: Bool) -> String {
    var text = ""
    for _ in 0..<Int.random(in: 0...4, using: &random) {
      let piece = pieces.randomElement(using: &random) ?? ""
      // Most texts are good as a whole: the walk is then left out.
      let isBad = ["\\uD83D", "\\ude00", "\\u0000"].contains(piece)
      if !isBad || rare { text += piece }
    }
    return "\"\(text)\""
  }

  private static func value(
    _ depth: Int, _ random: inout Dice, rare: Bool
  ) -> String {
    switch Int.random(in: 0...(depth > 3 ? 4 : 8), using: &random) {
    case 0: return "null"
    case 1: return rare ? numbers.randomElement(using: &random) ?? "1" : "12.5"
    case 2...4: return string(&random, rare: rare)
    case 5:
      let levels = rare ? Int.random(in: 40...50, using: &random) : 3
      return String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
    case 6:
      let elements = (0..<Int.random(in: 0...3, using: &random)).map { _ in
        value(depth + 1, &random, rare: rare)
      }
      return "[\(elements.joined(separator: " , "))]"
    default:
      let count = Int.random(in: 0...(depth == 0 ? 20 : 5), using: &random)
      let members = (0..<count).map { number in
        let name = rare ? string(&random, rare: rare) : "\"m\(number)\""
        return "\(name):\(value(depth + 1, &random, rare: rare))"
      }
      return "{\(members.joined(separator: ","))}"
    }
  }

  /// Whoever reads a text notes on the way whether it has to be walked for this at all.
  @Test func `results and calls are refused exactly for what a slow walk finds`() throws {
    var random = Dice(seed: TestSeed.value)
    var bad = 0
    for round in 0..<4_000 {
      let value = Self.value(0, &random, rare: round % 2 == 0)
      let result = Array("{\"text\":\"x\",\"own\":\(value)}".utf8)
      let expected = JSONUnreadableReference(result).found
      let found = JSONUnreadable.first(in: result.span)
      #expect(found?.problem == expected?.problem && found?.path == expected?.path, "\(value)")
      switch AgentResult.parse(result) {
      case .success: #expect(expected == nil, "\(value)")
      case .failure(let error):
        #expect(expected.map { error.description.contains($0.problem.rawValue) } == true)
      }
      let call = Array(
        #"{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"t","x":\#(value)}}"#
          .utf8)
      let inCall = JSONUnreadableReference(call).found
      switch A2ACall.parse(call, version: nil) {
      case .success: #expect(inCall == nil, "\(value)")
      case .failure(let error):
        #expect(inCall.map { error.message.contains("\($0.path): \($0.problem.rawValue)") } == true)
      }
      if expected != nil { bad += 1 }
    }
    #expect(bad > 400 && bad < 3_600, "\(bad)")
  }
}
