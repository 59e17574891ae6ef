import Foundation
import System
import Testing

@testable import Commands

/// The exit statuses are those that the operator's page and the help describe.
@Suite struct ExitStatusTests {
  @Test func `every exit status has its row on the operator's page, and no other has`() throws {
    let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "docs/commands.md")
    let lines = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "\n")
    let head = try #require(lines.firstIndex { $0.hasPrefix("| exit status |") })
    let rows = lines[(head + 2)...].prefix { $0.hasPrefix("|") }
    #expect(rows.count == System.ExitStatus.allCases.count)
    for (row, status) in zip(rows, System.ExitStatus.allCases) {
      #expect(row.hasPrefix("| \(status.rawValue) | \(status.meaning)"))
    }
  }

  @Test func `the help has every exit status that a command can end with`() {
    let help = CommandHelp(CommandTable.commands).overview.split(separator: "\n")
      .joined(separator: " ")
    for status in System.ExitStatus.allCases where status != .systemError {
      #expect(help.contains("\(status.rawValue) \(status.meaning)"))
    }
  }
}
