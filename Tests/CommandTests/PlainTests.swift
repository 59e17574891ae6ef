import Testing
import Wire

@testable import Commands

/// How values are written for people.
@Suite struct PlainTests {
  @Test(arguments: [
    (0, "0s"), (0.2, "<1s"), (59.9, "59s"), (60, "1m"), (3599, "59m"), (7200, "2h"),
    (86_400, "1d"), (8_640_000, "100d"), (-5, "0s"),
  ])
  func `ages have one unit`(seconds: Double, text: String) {
    #expect(Plain.age(seconds: seconds) == text)
  }

  @Test(
    arguments: [
      (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"),
      (268_435_456, "256.0 MiB"), (5_497_558_138_880, "5.0 TiB"),
    ] as [(Int64, String)])
  func `bytes have a unit that fits`(count: Int64, text: String) {
    #expect(Plain.bytes(count) == text)
  }

  @Test func `text of others cannot move the cursor or turn a line around`() {
    #expect(Plain.text("a\u{1B}[2Jb\nc\u{202E}d") == "a\u{FFFD}[2Jb\u{FFFD}c\u{FFFD}d")
    #expect(Plain.text("Grüße 日本") == "Grüße 日本")
    #expect(Plain.member(["a": .string("\u{7}"), "b": [1, true]]) == "a=\u{FFFD} b=1, yes")
    #expect(Plain.member(.null) == "–" && Plain.member("") == "–")
  }

  @Test func `columns are as wide as they must be, numbers at the right`() {
    var table = TextTable([.init("NAME"), .init("COUNT", isNumber: true)])
    table.add(["a", "1"])
    table.add(["longer", "1000000"])
    #expect(
      table.text == """
        NAME      COUNT
        a             1
        longer  1000000

        """)
  }

  @Test func `a query holds nothing that ends it`() {
    var query = Query()
    #expect(query.text == "")
    query.add("after", "a&b=c d/é")
    query.add("none", nil)
    #expect(query.text == "?after=a%26b%3Dc%20d%2F%C3%A9")
  }

  @Test func `what was found is told with what to try`() {
    var report = Doctor.Report()
    report.ok("fine")
    report.note("odd")
    #expect(report.text == "ok       fine\nnote     odd\nno problem found\n")
    report.problem("bad", try: "a2a-relay status")
    #expect(report.text.hasSuffix("problem  bad → try: a2a-relay status\n1 problem found\n"))
    #expect(report.problems == 1 && report.json["problems"]?.int == 1)
  }
}
