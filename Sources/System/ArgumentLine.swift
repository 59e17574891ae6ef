/// An option of a command line: `--name`, with a value or without.
package struct Flag: Sendable {
  package let name: String
  /// The placeholder of its value, such as `URL`; `nil` for a flag that takes no value.
  package let value: String?
  /// Says what the flag is for, in the help.
  package let text: String

  package init(_ name: String, _ value: String? = nil, _ text: String) {
    self.name = name
    self.value = value
    self.text = text
  }

  /// The flag as the help shows it: `--relay URL`.
  package var shown: String { "--\(name)" + (value.map { " " + $0 } ?? "") }
}

/// The words and flags of one command line. Every program of this project reads its line with it.
///
/// It follows POSIX's utility syntax guidelines with GNU's long options: flags may stand anywhere,
/// a value follows after a space or an equals sign, and everything after `--` is a word.
package struct ArgumentLine: Sendable {
  package enum Mistake: Error, Equatable {
    /// No command has a flag of this name.
    case unknownFlag(String)
    /// What is wrong with a flag that exists.
    case wrongValue(String)
  }

  package private(set) var words: [String] = []
  /// The values of each flag in the order of the line; `""` for a flag that takes no value.
  package private(set) var values: [String: [String]] = [:]
  package private(set) var wantsHelp = false

  package init(_ arguments: [String], flags: [Flag]) throws(Mistake) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--help" || argument == "-h" {
        wantsHelp = true
      } else if argument == "--" {
        words += rest
        rest = []
      } else if argument.hasPrefix("--") {
        try take(argument, from: &rest, flags)
      } else {
        words.append(argument)
      }
    }
  }

  /// The last value of a flag, which replaces the earlier ones; `nil` if the flag is not there.
  package func value(_ flag: String) -> String? { values[flag]?.last }

  private mutating func take(
    _ argument: String, from rest: inout ArraySlice<String>, _ flags: [Flag]
  ) throws(Mistake) {
    let parts = argument.dropFirst(2)
      .split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let name = parts.first ?? ""
    guard let flag = flags.first(where: { $0.name == name }) else { throw .unknownFlag(name) }
    guard let placeholder = flag.value else {
      guard parts.count == 1 else { throw .wrongValue("--\(name) takes no value") }
      return values[name, default: []].append("")
    }
    guard let value = parts.count == 2 ? parts[1] : rest.popFirst(), !value.isEmpty else {
      throw .wrongValue("--\(name) needs a value: \(placeholder)")
    }
    values[name, default: []].append(value)
  }
}
