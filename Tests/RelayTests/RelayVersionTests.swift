import Foundation
import Relay
import Testing

@Suite struct RelayVersionTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  @Test func `the changelog and the container's label have the relay's version`() throws {
    let heading = try #require(try Self.text("docs/changelog.md").firstMatch(of: /\n## (\S+)/))
    #expect(heading.output.1 == RelayVersion.text)
    let label = try #require(
      try Self.text("deploy/Containerfile").firstMatch(of: /image\.version="([^"]*)"/))
    #expect(label.output.1 == RelayVersion.text)
  }

  /// What derives it cannot be forgotten when it changes.
  @Test func `the version stands nowhere else`() throws {
    let allowed: Set = [
      "Sources/Relay/RelayVersion.swift", "docs/changelog.md", "deploy/Containerfile",
    ]
    var count = 0
    for folder in ["Sources", "Tests", "deploy", "docs"] {
      let walk = FileManager.default.enumerator(atPath: Self.root.appending(path: folder).path)
      while let name = walk?.nextObject() as? String {
        let path = "\(folder)/\(name)"
        guard !allowed.contains(path), let text = try? Self.text(path) else { continue }
        count += 1
        #expect(!text.contains(RelayVersion.text), "\(path)")
      }
    }
    let readme = try Self.text("README.md")
    #expect(count > 300 && !readme.contains(RelayVersion.text))
  }
}
