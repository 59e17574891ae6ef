import Testing

@testable import Wire

@Suite struct IdempotencyKeyTests {
  private func key(_ values: String..., bytesMax: Int = 20) throws -> String? {
    var headers = HTTPHeaders()
    for value in values { headers.append(name: "Idempotency-key", value: value) }
    return try IdempotencyKey.of(headers, bytesMax: bytesMax)?.text
  }

  @Test func `bare and quoted keys are the same key`() throws {
    #expect(try key() == nil)
    #expect(try key("8e03978e-40d5") == "8e03978e-40d5")
    #expect(try key("\"8e03978e-40d5\"") == "8e03978e-40d5")
    #expect(try key("\"a b\"") == "a b")
    #expect(try key("\"a\\\"b\\\\\"") == "a\"b\\")
    #expect(try key("a\\;b=\u{7E}!") == "a\\;b=\u{7E}!")
    #expect(try key("\"" + String(repeating: "x", count: 20) + "\"")?.count == 20)
  }

  @Test(arguments: [
    "", "\"\"", "\"", "\"a", "a b", "\"a\"b", "\"a\";p=1", "\"a\\n\"", "\"a\\", "ü", "\"ü\"",
    "a\"b", "123456789012345678901", "\"123456789012345678901\"", "a\tb", "\"a\tb\"",
  ])
  func `an invalid key is refused`(value: String) {
    #expect(throws: IdempotencyKey.Refusal.self) { try key(value) }
  }

  @Test func `two keys are none`() {
    #expect(throws: IdempotencyKey.Refusal.self) { try key("a", "a") }
  }

  private func compact(_ text: String) -> String {
    String(decoding: JSONCompact.bytes(Array(text.utf8)[...]), as: UTF8.self)
  }

  @Test func `white space between tokens does not count, in strings it does`() {
    #expect(compact(" { \"a b\" :\t[ 1 ,\r\n 2.0 ] }\n") == "{\"a b\":[1,2.0]}")
    #expect(compact("[\"\\\" x\", \" \\\\\" , \" \"]") == "[\"\\\" x\",\" \\\\\",\" \"]")
    #expect(compact("") == "")
    #expect(compact("7") == "7")
    #expect(compact("{\"a\":1}") != compact("{\"a\":1.0}"))
  }

  @Test func `a slice is compacted where it lies`() {
    let bytes = Array("xx{ }yy".utf8)
    #expect(JSONCompact.bytes(bytes[2..<5]) == Array("{}".utf8))
    #expect(JSONCompact.bytes(bytes[2..<2]).isEmpty)
  }
}
