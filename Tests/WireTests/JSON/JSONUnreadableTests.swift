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
}
