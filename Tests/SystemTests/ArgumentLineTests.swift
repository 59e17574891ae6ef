import Testing

@testable import System

/// How a command line is split into words and flags.
@Suite struct ArgumentLineTests {
  private static let flags = [Flag("json", nil, "a switch"), Flag("data", "DIR", "a directory")]

  private func line(_ text: String) throws(ArgumentLine.Mistake) -> ArgumentLine {
    try ArgumentLine(text.split(separator: " ").map(String.init), flags: Self.flags)
  }

  @Test func `flags stand anywhere, and the last value of a flag counts`() throws {
    let line = try line("a --data x --json b --data=y=z")
    #expect(line.words == ["a", "b"])
    #expect(line.values == ["data": ["x", "y=z"], "json": [""]])
    #expect(line.value("data") == "y=z" && line.value("json") == "" && line.value("none") == nil)
    #expect(!line.wantsHelp)
  }

  @Test func `everything after two hyphens is a word`() throws {
    let line = try line("a -- --data -h --")
    #expect(line.words == ["a", "--data", "-h", "--"] && line.values.isEmpty && !line.wantsHelp)
  }

  @Test func `help is asked for anywhere, and a value is no question for it`() throws {
    #expect(try line("a --json -h").wantsHelp && line("--help").wantsHelp)
    #expect(try line("--data --help").value("data") == "--help")
  }

  @Test(arguments: [
    ("--nothing", ArgumentLine.Mistake.unknownFlag("nothing")),
    ("--=x", .unknownFlag("")), ("a --data", .wrongValue("--data needs a value: DIR")),
    ("--data= a", .wrongValue("--data needs a value: DIR")),
    ("--json=1", .wrongValue("--json takes no value")),
  ])
  func `a wrong flag is refused`(text: String, mistake: ArgumentLine.Mistake) {
    #expect(throws: mistake) { try line(text) }
  }
}
