import Foundation
import Relay
import Testing
import Wire

@testable import Commands
@testable import Server

/// `docs/errors.md` and the table of the audit say what the source says, all of it and nothing else.
@Suite struct RelayDocumentTests {
  /// The rows of all tables of a page, cell by cell, without their heads.
  private func rows(_ name: String) throws -> [[String]] {
    let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "docs/\(name)")
    let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
    return lines.filter { $0.hasPrefix("|") && $0.contains("`") }.map { line in
      line.dropFirst().dropLast().components(separatedBy: " | ").map {
        $0.trimmingCharacters(in: .whitespaces)
      }
    }
  }

  @Test func `every error of the relay has its row, with its statuses`() throws {
    let rows = try rows("errors.md").filter { $0.count == 6 }
    let expected = RelayError.allCases.map { error in
      [
        "<a id=\"\(error.code)\"></a>`\(error.code)`", "\(error.status)", "\(error.rpcCode)",
        error.delivered ?? "–",
      ]
    }
    #expect(rows.map { Array($0.prefix(4)) } == expected)
    #expect(rows.allSatisfy { $0.suffix(2).allSatisfy { !$0.isEmpty } })
  }

  @Test func `every reason why HTTP cannot be read has its row`() throws {
    let rows = try rows("errors.md").filter { $0.count == 3 }
    let reasons = HTTPFailure.Reason.allCases
    for (row, reason) in zip(rows, reasons) {
      #expect(row[0].hasSuffix("`\(reason.rawValue)`"))
      #expect(row[1] == "\(HTTPFailure(reason).status)")
      #expect(row[2] == HTTPFailure(reason).text)
    }
    // The loop's own: a request that did not come in time.
    #expect(rows.count == reasons.count + 1)
  }

  @Test func `every action of the audit has its row`() throws {
    let names = AuditAction.allCases.map(\.rawValue)
    let cells = try rows("operators.md").map { $0[0].trimmingCharacters(in: ["`"]) }
    // The noun, and what became of it.
    #expect(Set(names).count == names.count)
    for name in names {
      let words = name.split(separator: ".", omittingEmptySubsequences: false)
      #expect(words.count == 2 && words.allSatisfy { !$0.isEmpty })
    }
    let page = cells.filter { $0.wholeMatch(of: /[a-z]+\.[a-z]+/) != nil }
    #expect(page == names, "the page has others")
  }

  @Test func `codes are unique, and each is an anchor once`() throws {
    let codes = RelayError.allCases.map(\.code)
    #expect(Set(codes).count == codes.count)
    let cells = try rows("errors.md").map { $0[0] }
    let anchors = cells.compactMap { $0.split(separator: "\"").dropFirst().first.map(String.init) }
    #expect(Set(anchors).count == anchors.count)
    for reason in HTTPFailure.Reason.allCases {
      #expect(anchors.contains(reason.rawValue))
      // One code has one status, whoever says it.
      if let error = RelayError(rawValue: reason.rawValue) {
        #expect(error.status == HTTPFailure(reason).status)
      }
    }
    for error in RelayError.allCases where error.delivered != nil {
      #expect(error.status == 503 && error.retryAfterSeconds != nil, "\(error)")
    }
  }

  @Test func `flags need their values, and say what they take`() throws {
    let none: (String) -> String? = { _ in nil }
    for arguments in [
      ["--data="], ["--data"], ["--data=", "--log", "json"], ["--nothing"], ["x"], ["--limit=hold"],
      ["--limit=hold=0"], ["--limit=hold=9223372036854775807"], ["--listen=x"], ["--log=x"],
      ["--barrier=x"], ["--registration=x"], ["--public-url=x"], ["--disk-high-water=-1"],
    ] {
      #expect(throws: CommandFailure.self, "\(arguments)") {
        try ServeOptions(arguments: arguments, environment: none)
      }
    }
    let options = try ServeOptions(arguments: ["--data", "a", "--limit=hold=5"]) {
      $0 == "A2A_RELAY_DATA" ? "b" : nil
    }
    #expect(options.data == "a" && options.limits.hold == .milliseconds(5))
    #expect(throws: CommandFailure.self) {
      try ServeOptions(arguments: []) { $0 == "ADMIN_TOKEN" ? "short" : nil }
    }
  }
}
