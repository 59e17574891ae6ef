import Foundation
import Testing

/// Bounds on types, not on files: a type that is sliced over many files is as large as one that is
/// not. What is over a bound stands in a list of exceptions, which can only get shorter.
@Suite struct RatchetTests {
  static let storedMax = 15
  static let linesMax = 900
  static let functionLinesMax = 60

  /// Stored properties of the types that have more than `storedMax`.
  static let stored: [String: Int] = [
    // To be taken apart.
    "Relay.Message": 43,
    // Records: values without behaviour of their own, with one property for each fact.
    "Relay.Limits": 175, "Relay.StoredMessage": 28, "Engine.Metrics": 22,
    "Relay.NewMessage": 17, "Wire.A2ACall": 17, "Engine.Delivery": 20,
  ]

  /// Lines, over all extensions, of the types that have more than `linesMax`.
  static let lines: [String: Int] = [:]

  static let functions: [String: Int] = [
    // One case for each kind of write.
    "Store/RegistryRows.swift: func apply": 72
  ]

  /// Types that a folder other than their own extends.
  static let extendedElsewhere: Set = [
    "Wire.JSONScanner"
  ]

  static let shape: SourceShape? = {
    let root = TidyTests.root.appending(path: "Sources").path + "/"
    let files = TidyTests.files("Sources", "swift").map { file in
      (
        path: String(file.path.dropFirst(root.count)),
        text: (try? String(contentsOf: file, encoding: .utf8)) ?? ""
      )
    }
    return try? SourceShape(files.sorted { $0.path < $1.path })
  }()

  @Test func `no type has more stored properties than it may`() throws {
    let types = try #require(Self.shape).types
    #expect(types.count > 500)
    Self.compare(
      types.mapValues(\.stored), Self.storedMax, Self.stored, "stored properties")
  }

  @Test func `no type has more lines than it may, over all its extensions`() throws {
    Self.compare(
      try #require(Self.shape).types.mapValues(\.lines), Self.linesMax, Self.lines, "lines")
  }

  @Test func `no function is longer than it may be`() throws {
    let functions = try #require(Self.shape).functions
    #expect(functions.count > 2000)
    let lines = Dictionary(
      functions.map { ("\($0.file): \($0.name)", $0.lines) }, uniquingKeysWith: max)
    Self.compare(lines, Self.functionLinesMax, Self.functions, "lines")
  }

  @Test func `only its own folder extends a type of the module`() throws {
    let found = Set(try #require(Self.shape).extendedElsewhere)
    #expect(
      found.subtracting(Self.extendedElsewhere).isEmpty, "extend these in the folder they are in")
    #expect(Self.extendedElsewhere.subtracting(found).isEmpty, "remove these from the exceptions")
  }

  /// An exception may be a tenth larger than what it allows, so that not every change touches it.
  private static func compare(
    _ found: [String: Int], _ most: Int, _ exceptions: [String: Int], _ what: String
  ) {
    for (name, count) in found where count > exceptions[name] ?? most {
      Issue.record("\(name) has \(count) \(what); allowed are \(exceptions[name] ?? most)")
    }
    for (name, allowed) in exceptions {
      let count = found[name] ?? 0
      guard count <= most || count < allowed - allowed / 10 else { continue }
      Issue.record(
        """
        \(name) has \(count) \(what) now: \(count <= most ? "remove" : "lower") its exception of \
        \(allowed)
        """)
    }
  }

  @Test func `the reading of the sources sees what is there`() throws {
    let shape = try SourceShape([
      (
        "Shop/Till/Till.swift",
        """
        package final class Till {
          package static let name = "till"
          private(set) var coins: [Int] = []
          package weak var owner: Owner?
          let limits: Limits
          var total: Int { coins.reduce(0, +) }
          var open = false {
            didSet { count += 1 }
          }
          var count: Int {
            coins.count
          }
          struct Drawer {
            var place: Int
          }
          func add(
            _ coin: Int
          ) {
            coins.append(coin)
          }
        }
        """
      ),
      ("Shop/Till/Till+Sum.swift", "extension Till {\n  func sum() -> Int { 1 }\n}\n"),
      ("Shop/Door/Door.swift", "extension Till {\n  var isShut: Bool { true }\n}\n"),
    ])
    let till = try #require(shape.types["Shop.Till"])
    #expect(till.stored == 4)
    #expect(till.lines == 21 + 3 + 3)
    #expect(shape.types["Shop.Till.Drawer"]?.stored == 1)
    #expect(shape.functions.map(\.lines) == [5, 1])
    #expect(shape.extendedElsewhere == ["Shop.Till"])
  }
}
