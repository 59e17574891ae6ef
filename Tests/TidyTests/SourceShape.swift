import Foundation

/// What the sources declare, read by their layout: `swift-format` puts every declaration and the
/// brace that ends it at the same indentation.
struct SourceShape {
  struct TypeShape {
    var module: String
    /// Folders of the files that declare or extend it, as paths below `Sources`.
    var home: String?
    var extended: Set<String> = []
    var stored = 0
    /// Of its declaration and all its extensions in its module.
    var lines = 0
  }

  struct Function {
    var name: String
    var file: String
    var lines: Int
  }

  /// By module and name: `Relay.Queue`, `Relay.Queue.Cached`.
  private(set) var types: [String: TypeShape] = [:]
  private(set) var functions: [Function] = []
  /// Extensions by the module and folder they stand in.
  private var extensions: [(module: String, folder: String, name: String, lines: Int)] = []

  /// - `files`: path below `Sources`, and text.
  init(_ files: [(path: String, text: String)]) throws {
    let patterns = try Patterns()
    for file in files { read(file.path, file.text, patterns) }
    for found in extensions {
      let key = "\(found.module).\(found.name)"
      guard types[key] != nil else { continue }
      types[key]?.lines += found.lines
      types[key]?.extended.insert(found.folder)
    }
  }

  /// Types of which another folder of their module declares an extension.
  var extendedElsewhere: [String] {
    types.filter { type in type.value.extended.contains { $0 != type.value.home } }.map(\.key)
      .sorted()
  }

  /// What a declaration looks like at its first line: its indentation, its keyword and its name.
  private struct Patterns {
    let type: Regex<(Substring, Substring, Substring, Substring)>
    let property: Regex<(Substring, Substring)>
    let function: Regex<(Substring, Substring, Substring)>

    init() throws {
      let words = [
        "@[A-Za-z]+", "package", "public", "private", "fileprivate", "internal", "final",
        "indirect", "weak", "unowned", "lazy", "mutating", "nonmutating", "override",
        "convenience", "required", #"(?:private|fileprivate|internal|package)\(set\)"#,
      ]
      let before = "^( *)(?:(?:" + words.joined(separator: "|") + ") )*"
      type = try Regex(
        before + "(struct|class|enum|protocol|actor|extension) ([A-Za-z0-9_.]+)")
      property = try Regex(before + "(?:let|var) [^:=]+(?::|=)")
      function = try Regex(
        before + "(?:static |class )?(?:mutating )?(func [^(<]+|init|subscript|deinit)")
    }
  }

  private mutating func read(_ path: String, _ text: String, _ patterns: Patterns) {
    let module = String(path.prefix { $0 != "/" })
    let folder = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    // The types that are open at a line, from the outside to the inside.
    var open: [(name: String, indent: Int, end: Int)] = []
    for (index, line) in lines.enumerated() {
      while let last = open.last, last.end < index { open.removeLast() }
      if let match = line.firstMatch(of: patterns.type) {
        let indent = match.1.count
        guard let end = Self.end(of: index, indent, lines) else { continue }
        let name = (open.last.map { $0.name + "." } ?? "") + match.3
        if match.2 == "extension" {
          extensions.append((module, folder, String(match.3), end - index + 1))
        } else {
          let key = "\(module).\(name)"
          types[key, default: TypeShape(module: module)].home = folder
          types[key]?.lines += end - index + 1
        }
        open.append((match.2 == "extension" ? String(match.3) : name, indent, end))
      } else if let match = line.firstMatch(of: patterns.function) {
        guard let end = Self.end(of: index, match.1.count, lines) else { continue }
        functions.append(Function(name: String(match.2), file: path, lines: end - index + 1))
      } else if let type = open.last, let match = line.firstMatch(of: patterns.property),
        match.1.count == type.indent + 2,
        Self.isStored(index, lines)
      {
        types["\(module).\(type.name)"]?.stored += 1
      }
    }
  }

  /// The line of the brace that ends what is declared at `index`; nil if it has no body.
  private static func end(of index: Int, _ indent: Int, _ lines: [String]) -> Int? {
    if lines[index].hasSuffix("}"), lines[index].contains("{") { return index }
    let closing = String(repeating: " ", count: indent) + "}"
    for (place, line) in lines.enumerated().dropFirst(index + 1) {
      if line == closing { return place }
      let text = line.drop { $0 == " " }
      guard !text.isEmpty, line.count - text.count <= indent else { continue }
      // The end of a parameter list or a clause goes on; anything else is the next declaration.
      let goesOn = ["{", ")", "where ", "#if", "#else", "#elseif", "#endif", "}"]
      guard goesOn.contains(where: text.hasPrefix) || text.hasPrefix(":") else { return nil }
      if line.count - text.count == indent, text.hasPrefix("}") { return place }
    }
    return nil
  }

  /// A property with a value or without a body; observers make it no less stored.
  private static func isStored(_ index: Int, _ lines: [String]) -> Bool {
    let line = lines[index]
    guard let brace = line.firstIndex(of: "{") else {
      // The value, or the body, of a long declaration stands on the next line.
      return !(lines[index].hasSuffix("->") || lines[index].hasSuffix(":"))
    }
    if line[..<brace].contains("=") { return true }
    let body = line[line.index(after: brace)...].drop { $0 == " " }
    let first =
      body.isEmpty && index + 1 < lines.count
      ? lines[index + 1].drop { $0 == " " } : body
    return first.hasPrefix("didSet") || first.hasPrefix("willSet")
  }
}
