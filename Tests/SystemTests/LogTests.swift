import Relay
import System
import Testing

@Suite struct LogTests {
  let time = WallTime(nanoseconds: 1_709_210_096_007_000_000)

  private func line(_ format: Log.Format, _ fields: Log.Fields) -> String {
    String(decoding: LogLine(format, .info, "listening", fields, at: time).bytes, as: UTF8.self)
  }

  @Test func `a line for people is text`() {
    #expect(
      line(.text, ["url": "http://a/", "note": "two words", "open": 5, "ok": .flag(true)])
        == "2024-02-29T12:34:56.007Z info listening url=http://a/ note=\"two words\" open=5 "
        + "ok=true\n"
    )
  }

  @Test func `a line for machines is JSON`() {
    #expect(
      line(.json, ["url": "http://a/", "open": 5, "ok": .flag(false)])
        == "{\"time\":\"2024-02-29T12:34:56.007Z\",\"level\":\"info\",\"event\":\"listening\","
        + "\"url\":\"http://a/\",\"open\":5,\"ok\":false}\n")
  }

  @Test func `no value can end its line or leave its quotes`() {
    let value = LogValue.text("a\n\"b\"\\\u{1b}[2J\u{7f}é")
    let escaped = "\"a\\u000a\\\"b\\\"\\\\\\u001b[2J\\u007fé\"\n"
    #expect(line(.text, ["v": value]).hasSuffix("v=" + escaped))
    #expect(line(.json, ["v": value]).contains("\"v\":" + escaped.dropLast()))
  }

  @Test(arguments: [Log.Format.text, .json], ["x", "\u{1b}", "é", "👍", "\""])
  func `a line fits into one piece of a pipe, however long its values are`(
    format: Log.Format, letter: String
  ) {
    let long = LogValue.text(String(repeating: letter, count: 5000))
    let line = LogLine(
      format, .error, "much", ["a": long, "b": long, "c": 7, "d": long, "last": "z"], at: time)
    #expect(line.bytes.count <= LogLine.bytesMax && line.bytes.last == UInt8(ascii: "\n"))
    let text = String(validating: line.bytes, as: UTF8.self)
    #expect(text?.contains("…") == true && text?.contains("last") == true)
    #expect(text?.count { $0 == "\n" } == 1)
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"), (951_782_400, "2000-02-29T00:00:00.000Z"),
    (1_735_689_599, "2024-12-31T23:59:59.000Z"), (4_107_542_400, "2100-03-01T00:00:00.000Z"),
  ]) func `the date is right around leap days`(seconds: Int64, text: String) {
    let time = WallTime(nanoseconds: seconds * 1_000_000_000)
    let line = LogLine(.text, .info, "x", [:], at: time)
    #expect(String(decoding: line.bytes, as: UTF8.self).hasPrefix(text))
  }

  @Test func `a gate lets some lines through each second and counts the others`() {
    var gate = LogGate(perSecond: 2)
    let start = Instant(nanoseconds: 5_000_000_000)
    #expect(gate.admits(now: start) == 0)
    #expect(gate.admits(now: start) == 0)
    for _ in 0..<7 { #expect(gate.admits(now: start) == nil) }
    #expect(gate.admits(now: start + .seconds(1)) == 7)
    #expect(gate.admits(now: start + .seconds(1)) == 0)
    #expect(gate.admits(now: start + .seconds(1)) == nil)
  }
}
