import Testing
import Wire

@Suite struct JSONTests {
  func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test func `a tree keeps order and number spelling`() throws {
    let compact = #"{"z":1.50,"a":[true,null,-0,1e400],"z":{"é":"\"\\\n\u0001"}}"#
    let tree = try JSON(parsing: Array(compact.utf8))
    #expect(text(tree.bytes) == compact)
  }

  @Test func `the last of repeated names is read`() throws {
    let tree = try JSON(parsing: Array(#"{"a":1,"a":2}"#.utf8))
    #expect(tree["a"]?.int == 2)
  }

  @Test func `members are read, set, added and removed`() {
    var tree: JSON = ["a": 1, "b": "x", "c": [true, nil]]
    #expect(tree["b"]?.string == "x" && tree["c"]?.array?.first?.bool == true)
    #expect(tree["a"]?.string == nil && tree["d"] == nil && tree["c"]?["x"] == nil)
    tree["a"] = "y"
    tree["d"] = 2
    tree["b"] = nil
    #expect(text(tree.bytes) == #"{"a":"y","c":[true,null],"d":2}"#)
    #expect(JSON.number("1.0").int == nil && JSON.number("12").int == 12)
  }

  @Test func `a tree reads a slice of a larger text`() throws {
    let body = Array(#"xx{"a":[1]}yy"#.utf8)
    #expect(try JSON(parsing: body[2..<11]) == ["a": [1]])
  }

  @Test func `the writer sets commas and colons`() {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("a")
    writer.beginArray()
    writer.int(-1)
    writer.bool(false)
    writer.null()
    writer.beginObject()
    writer.endObject()
    writer.raw(Array("1.0".utf8))
    writer.endArray()
    let name = "\"q\""
    writer.key(name)
    writer.string("v")
    writer.key("s")
    writer.raw(Array("[1]23".utf8)[0..<3])
    writer.endObject()
    #expect(text(writer.bytes) == #"{"a":[-1,false,null,{},1.0],"\"q\"":"v","s":[1]}"#)
  }

  @Test func `the writer escapes what must be and repairs what is not UTF-8`() {
    var writer = JSONWriter()
    writer.string(utf8: [0x61, 0xFF, 0x22, 0x5C, 0x1F, 0x0A, 0x7F, 0xC3, 0xA9, 0xE2, 0x82])
    #expect(
      text(writer.bytes) == "\"a\u{FFFD}\\\"\\\\\\u001f\\n\u{7F}é\u{FFFD}\u{FFFD}\"")
  }

  @Test func `every byte value survives a round trip as a string`() throws {
    for value in UInt32(0)..<0x300 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let string = "a\(Character(scalar))b"
      #expect(try JSON(parsing: JSON.string(string).bytes) == .string(string))
    }
  }
}
