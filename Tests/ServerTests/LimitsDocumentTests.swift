import Foundation
import Relay
import Testing

@testable import Commands
@testable import Server

/// `docs/limits.md` is made from the comments at the bounds. `UPDATE_DOCS=1` writes it.
@Suite struct LimitsDocumentTests {
  static let valueFile = "Relay/Limits.swift"
  static let fixedFile = "Relay/FixedLimits.swift"

  /// Limits with a flag of their own.
  static let byFlag: Set = ["diskHighWater", "workspaceSeriesMax"]

  /// Numbers that bound nothing, as "file: name": facts of a format or protocol, sizes of buffers,
  /// thresholds between two ways of doing the same, statuses of processes.
  static let facts: Set = [
    "Store/Statement.swift: scratchBytes", "Store/StoreError.swift: writeFailed",
    "Store/WALFormat.swift: headerBytes", "Store/WALFormat.swift: frameHeaderBytes",
    "Store/WALFormat.swift: framesInSlice", "Store/RegistryFile.swift: bootLeap",
    "Store/Ranges.swift: rateMax", "Store/Ranges.swift: timeMax",
    "Store/Database.swift: pageBytes", "Store/Database.swift: slots",
    "Store/DirectoryLock.swift: recordStart", "Store/DiskPlan.swift: block",
    "Server/DescriptorPlan.swift: perWorkspace", "Archive/Manifest.swift: format",
    "HTTPServer/Connection.swift: ownBytes", "System/Random.swift: capacity",
    "System/Barrier.swift: filesOneByOne",
    "Engine/Registry/RegisteredTokens.swift: fingerprintDigits",
    "Engine/Workspace/Workspace+Plants.swift: plantDelay",
    "Engine/Replies/ReplyContent.swift: deliveryBytes",
    "Engine/Replies/ReplyContent.swift: rowBytes",
    "Engine/Workspace/WorkspaceUpkeep+Retention.swift: rowBytes",
    "Wire/ByteBlock.swift: count", "Wire/JSON/JSONUnreadable.swift: comparedMax",
    "Wire/JSON/JSONUnreadable.swift: shownMax", "Wire/JSON/JSONUnreadable.swift: digitsMax",
    "Wire/JSON/QuoteSearch.swift: walkBytes",
    "Wire/JSON/JSONNames.swift: max", "Wire/HTTP/CivilTime.swift: daySeconds",
    "Wire/Crypto/SHA256.swift: blockBytes",
    // The same as a limit, which `RelayCostTests` compares: Wire knows no other module.
    "Wire/A2A/AgentCard.swift: bytesMax", "Wire/JSON/JSONScanner.swift: valuesMax",
  ]

  @Test func `the page of the limits is made from the comments at them`() throws {
    let settable = Set(LimitFlag.names).union(Self.byFlag)
    let values = try DeclaredLimit.all(of: Self.valueFile)
    let fixed = try DeclaredLimit.all(of: Self.fixedFile)
    let marked = try DeclaredLimit.sources.flatMap { try DeclaredLimit.marked(in: $0) }
    let relations = Limits().relations.map {
      $0.greater == "100" ? "`\($0.lesser)` ≤ 100" : "`\($0.lesser)` ≤ `\($0.greater)`"
    }
    let page = """
      # Limits

      Every queue, buffer, wait and retry has a bound. What is over a bound is refused with a code
      of [errors.md](errors.md), never dropped. Limits marked * can be set with `--limit NAME=VALUE`;
      VALUE is in bytes, in milliseconds, or a number.

      This page is made from the comments in the source
      (`UPDATE_DOCS=1 swift test --filter LimitsDocumentTests`).

      \(Self.tables(values, settable))
      ## Relations

      A start is refused unless these hold: \(relations.joined(separator: ", ")).

      # Bounds that nothing changes

      \(Self.tables(fixed, []))
      ## Beside their use

      These are sizes of a parser or a buffer.

      | limit | value | in | what it bounds, and why |
      |---|---|---|---|
      \(marked.map { "| `\($0.name)` | \($0.shown) | `\($0.file)` | \($0.text) |" }
        .joined(separator: "\n"))

      """
    let file = DeclaredLimit.root.appending(path: "docs/limits.md")
    if ProcessInfo.processInfo.environment["UPDATE_DOCS"] == "1" {
      try page.write(to: file, atomically: true, encoding: .utf8)
    }
    let text = try String(contentsOf: file, encoding: .utf8)
    #expect(text == page, "run this test with UPDATE_DOCS=1")
    #expect(marked.count > 10 && fixed.count > 30)
  }

  private static func tables(_ limits: [DeclaredLimit], _ settable: Set<String>) -> String {
    var text = ""
    var section = ""
    for limit in limits {
      if limit.section != section {
        text += section.isEmpty ? "" : "\n"
        text +=
          "## \(limit.section)\n\n| limit | value | what it bounds, and why |\n|---|---|---|\n"
        section = limit.section
      }
      let star = settable.contains(limit.name) ? " *" : ""
      text += "| `\(limit.name)`\(star) | \(limit.shown) | \(limit.text) |\n"
    }
    return text
  }

  @Test func `the comments say something, and the values are those of the program`() throws {
    let declared = try DeclaredLimit.all(of: Self.valueFile)
    let held = Mirror(reflecting: Limits()).children.map { child in
      let value = (child.value as? Duration).map { Int($0.nanoseconds) }
      return "\(child.label ?? "") \(value ?? Int("\(child.value)") ?? -1)"
    }
    #expect(declared.map { "\($0.name) \($0.value ?? -2)" } == held)
    let all = try declared + DeclaredLimit.all(of: Self.fixedFile)
    for limit in all {
      #expect(limit.value != nil && limit.text.hasSuffix("."), "\(limit.name)")
      #expect(limit.text.split(separator: " ").count > 2 && !limit.section.isEmpty, "\(limit.name)")
    }
    #expect(Set(all.map(\.name)).count == all.count)
  }

  @Test func `the limits marked as settable are those that the flag takes`() throws {
    for limit in try DeclaredLimit.all(of: Self.valueFile) {
      let options = try? ServeOptions(arguments: ["--limit=\(limit.name)=7"]) { _ in nil }
      #expect((options != nil) == LimitFlag.names.contains(limit.name), "\(limit.name)")
    }
    for flag in ["--disk-high-water=7", "--metrics-per-workspace=7"] {
      _ = try ServeOptions(arguments: [flag]) { _ in nil }
    }
  }

  /// A bound that stands nowhere is one that nobody can look up.
  @Test func `every number with a name is a limit, or known to be none`() throws {
    let limits = [Self.valueFile, Self.fixedFile]
    var numbers: Set<String> = []
    for file in DeclaredLimit.sources
    where !file.hasPrefix("a2a-bench/") && !limits.contains(file) {
      let text = try DeclaredLimit.text(of: file)
      let marked = Set(try DeclaredLimit.marked(in: file).map(\.name))
      for line in text.split(separator: "\n") where line.contains(" = ") {
        guard let declaration = DeclaredLimit.Declaration(line), declaration.isStatic,
          declaration.isNumber, !marked.contains(declaration.name)
        else { continue }
        numbers.insert("\(file): \(declaration.name)")
      }
    }
    #expect(
      numbers.subtracting(Self.facts).isEmpty,
      "move these to FixedLimits.swift, or begin their comment with \"Limit: \"")
    #expect(Self.facts.subtracting(numbers).isEmpty, "these are gone")
  }

  /// Pauses and waits are limits, too.
  @Test func `no time stands where it is used`() throws {
    let limits = [Self.valueFile, Self.fixedFile]
    let units = [".seconds(", ".milliseconds(", ".microseconds("]
    // What nobody has measured yet; a planted delay; the number that a caller or an option gives.
    let known: Set = ["Server/SyncPace.swift", "Engine/Workspace/Workspace+Plants.swift"]
    for file in DeclaredLimit.sources
    where !file.hasPrefix("a2a-bench/") && !limits.contains(file) && !known.contains(file) {
      for line in try DeclaredLimit.text(of: file).split(separator: "\n") {
        for unit in units {
          guard let found = line.range(of: unit) else { continue }
          #expect(line[found.upperBound...].first?.isNumber != true, "\(file): \(line)")
        }
      }
    }
  }
}
