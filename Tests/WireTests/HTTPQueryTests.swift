import Testing

@testable import Wire

@Suite struct HTTPQueryTests {
  @Test(
    arguments: [
      ("", ""), ("/a+b", "/a+b"), ("a%20b", "a b"), ("%E2%82%ac", "€"), ("%2F%3a", "/:"),
      ("ä%00", "ä\u{0}"), ("%", nil), ("%4", nil), ("%4g", nil), ("%+1", nil), ("a%ff", nil),
      ("%c3", nil), ("%%41", nil),
    ] as [(String, String?)])
  func `an escape is two hexadecimal digits and the text is UTF-8`(text: String, decoded: String?) {
    #expect(PercentEncoding.decode(text) == decoded)
  }

  @Test func `a query is names and values`() {
    let query = QueryItems("wait=25&name=a+b%2Bc&&empty=&bare&wait=2&=x&e%3Dq=1=2")
    #expect(query.items.count == 7)
    #expect(query.first("wait") == "25")
    #expect(query.all("wait") == ["25", "2"])
    #expect(query.first("name") == "a b+c")
    #expect(query.first("empty") == "")
    #expect(query.first("bare") == "")
    #expect(query.first("e=q") == "1=2")
    #expect(query.first("absent") == nil)
  }

  @Test func `no query and no escape are too strange to be read`() {
    #expect(QueryItems(nil).items.isEmpty)
    #expect(QueryItems("").items.isEmpty)
    #expect(QueryItems("a=%zz%4&b=%ff").first("a") == "%zz%4")
    #expect(QueryItems("a=%zz%4&b=%ff").first("b") == "\u{FFFD}")
  }
}
