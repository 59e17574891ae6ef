import Testing

@testable import Wire

@Suite struct HTTPHeadersTests {
  @Test func `order, spelling, duplicates and empty values are kept`() throws {
    let head = try HTTPTestKit.head(
      "GET / HTTP/1.1\r\nHOST:h\r\nX-One: \t a b \t\r\nx-one:\r\nX-Two:c\r\n\r\n")
    let headers = head.headers
    #expect(headers.count == 4)
    #expect((0..<4).map(headers.name(at:)) == ["HOST", "X-One", "x-one", "X-Two"])
    #expect((0..<4).map(headers.value(at:)) == ["h", "a b", "", "c"])
    #expect(headers.first("x-one") == "a b")
    #expect(headers.first("X-ONE") == "a b")
    #expect(headers.all("x-one") == ["a b", ""])
    #expect(headers.contains("x-two") && !headers.contains("x-tw") && !headers.contains("x-twoo"))
    #expect(headers.first("absent") == nil)
    #expect(headers.firstBytes("host").map(Array.init) == [0x68])
  }

  @Test func `bytes beyond ASCII are passed on, and repaired as text`() {
    let bytes =
      Array("GET / HTTP/1.1\r\nHost: h\r\nA: ".utf8) + [0xFF, 0xC3, 0xA4] + [13, 10, 13, 10]
    guard case .head(let head) = HTTPTestKit.steps(of: [bytes]).first else {
      return #expect(Bool(false), "no head")
    }
    #expect(head.headers.first("a") == "\u{FFFD}ä")
    #expect(head.headers.firstBytes("a").map(Array.init) == [0xFF, 0xC3, 0xA4])
  }

  @Test func `names take the bytes of a token and values the visible ones`() {
    let special = Array("!#$%&'*+-.^_`|~".utf8)
    for byte in 0...UInt8.max {
      let isDigit = (0x30...0x39).contains(byte)
      let isLetter = (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
      #expect(HTTPCharacter.isToken(byte) == (isDigit || isLetter || special.contains(byte)))
      guard byte != 0x0A else { continue }
      for length in 0...9 {
        let before = Array("GET / HTTP/1.1\r\nHost: h\r\nA: ".utf8)
        let value = [UInt8](repeating: 0x62, count: length) + [byte, 0x63]
        let step = HTTPTestKit.steps(of: [before + value + [13, 10, 13, 10]]).first
        if byte == 0x09 || (byte >= 0x20 && byte != 0x7F) {
          guard case .head = step else { return #expect(Bool(false), "\(byte) is refused") }
        } else {
          let isReturn = byte == 0x0D
          #expect(step == .failure(HTTPFailure(isReturn ? .bareLineBreak : .malformedField)))
        }
      }
    }
  }

  @Test func `a line's end is found at every distance from the last`() {
    for length in 0...40 {
      let value = [UInt8](repeating: 0x0B + 0x80, count: length)
      let head = Array("GET / HTTP/1.1\r\nHost: h\r\nA: ".utf8) + value + [13, 10, 13, 10]
      for cut in 0..<head.count {
        let steps = HTTPTestKit.steps(of: [Array(head[..<cut]), Array(head[cut...])])
        guard case .head(let head) = steps.first else {
          return #expect(Bool(false), "no head of \(length) cut at \(cut)")
        }
        #expect(head.headers.firstBytes("a").map(Array.init) == value)
      }
    }
  }

  @Test func `built and parsed headers are equal when their fields are`() throws {
    var built = HTTPHeaders()
    built.append(name: "Host", value: "h")
    built.append(name: "A", value: "")
    let parsed = try HTTPTestKit.head("GET / HTTP/1.1\r\nHost: h\r\nA:\r\n\r\n").headers
    #expect(built == parsed)
    built.append(name: "A", value: "")
    #expect(built != parsed)
    #expect(HTTPHeaders().isEmpty)
  }

  @Test func `a token is found in a list over several fields`() {
    var headers = HTTPHeaders()
    headers.append(name: "Accept", value: ", text/html ,a/b")
    headers.append(name: "accept", value: "text/event-stream")
    #expect(headers.hasToken("TEXT/HTML", in: "accept"))
    #expect(headers.hasToken("a/b", in: "accept"))
    #expect(headers.hasToken("text/event-stream", in: "accept"))
    #expect(!headers.hasToken("text", in: "accept"))
    #expect(!headers.hasToken("", in: "accept"))
    #expect(!headers.hasToken("a/b", in: "absent"))
  }

  @Test func `each pair is visited in order`() {
    var headers = HTTPHeaders()
    headers.append(name: "A", value: "1")
    headers.append(name: "B", value: "")
    var seen: [String] = []
    headers.forEachPair { name, value in
      seen.append(
        String(decoding: name, as: UTF8.self) + "=" + String(decoding: value, as: UTF8.self))
    }
    #expect(seen == ["A=1", "B="])
  }
}
