import Testing

@testable import Wire

@Suite struct EscapeRunTests {
  private static let pairs = ["\\n", "\\r", "\\t", "\\b", "\\f", "\\/", "\\\"", "\\\\"]

  private func end(_ text: String) -> Int { EscapeRun.end(Array(text.utf8).span, from: 0) }

  private func scan(_ text: String) -> Result<JSONScanner.Text, JSONError> {
    var scanner = JSONScanner()
    let bytes = Array(text.utf8)
    do throws(JSONError) { return .success(try scanner.string(bytes.span)) } catch {
      return .failure(error)
    }
  }

  @Test func `blocks of escapes of two bytes are skipped`() {
    let block = Self.pairs.joined()
    #expect(end(block) == 16)
    #expect(end(block + block + "\"") == 32)
    #expect(end(String(block.dropLast())) == 0)
    for pair in Self.pairs { #expect(end(String(repeating: pair, count: 9)) == 16) }
  }

  @Test func `escapes of six bytes are skipped one by one`() {
    #expect(end("\\u0001\\uFFFF\\u00e9x") == 18)
    #expect(end("\\u0001\\u000") == 6)
    #expect(end(Self.pairs.joined() + "\\u0041\\n") == 22)
  }

  @Test(arguments: ["\\u0000", "\\ud800", "\\uDFFF", "\\u00g0", "\\x000"])
  func `what stands for no character is left to the caller`(_ escape: String) {
    #expect(end("\\u0041" + escape) == 6)
  }

  @Test func `a byte that is wrong is found in every place of a run`() {
    for count in 1...20 {
      let run = String(repeating: "\\n", count: count)
      guard case .success(let text) = scan("\"\(run)\"") else {
        Issue.record("\(count) escapes are a string")
        continue
      }
      #expect(text == JSONScanner.Text(range: 1..<(2 * count + 1), isEscaped: true))
      for place in 0..<count {
        var bytes = Array("\"\(run)\"".utf8)
        bytes[2 * place + 2] = UInt8(ascii: "x")
        #expect(
          scan(String(decoding: bytes, as: UTF8.self))
            == .failure(JSONError(offset: 2 * place + 2, problem: .badEscape)))
      }
    }
  }

  @Test func `a run is not cut where a plain byte stands in the place of a backslash`() {
    let run = Array(repeating: "\\n", count: 16).joined()
    for place in stride(from: 0, to: 32, by: 2) {
      var bytes = Array("\"\(run)\"".utf8)
      bytes[place + 1] = UInt8(ascii: "n")
      let text = JSONScanner.Text(range: 1..<33, isEscaped: true)
      #expect(scan(String(decoding: bytes, as: UTF8.self)) == .success(text))
    }
  }
}
