/// Reads a line of arguments against the table of commands.
package struct CommandReader {
  let commands: [Command]
  /// Names of commands that are read elsewhere.
  let alsoThere: [String]

  package init(_ commands: [Command], alsoThere: [String] = []) {
    self.commands = commands
    self.alsoThere = alsoThere
  }

  /// What was asked for.
  package enum Wish {
    case run(Command, Invocation)
    case help(String)
  }

  package func read(
    _ line: [String], console: Console
  ) throws(CommandFailure) -> Wish {
    var words: [String] = []
    var values: [String: [String]] = [:]
    var wantsHelp = false
    var rest = line[...]
    while let argument = rest.popFirst() {
      if argument == "--help" || argument == "-h" {
        wantsHelp = true
      } else if argument == "--" {
        words += rest
        rest = []
      } else if argument.hasPrefix("--") {
        try take(argument, from: &rest, into: &values)
      } else {
        words.append(argument)
      }
    }
    if words.first == "help" {
      wantsHelp = true
      words.removeFirst()
    }
    if wantsHelp { return .help(try help(words)) }
    let (command, arguments) = try find(words)
    try check(values, command)
    return .run(
      command, Invocation(command, arguments: arguments, values: values, console: console))
  }

  private func find(_ words: [String]) throws(CommandFailure) -> (Command, [String]) {
    let found = commands.compactMap { command in
      command.match(words).map { (command, $0.arguments, $0.literal) }
    }
    if let best = found.max(by: { $0.2 < $1.2 }) { return (best.0, best.1) }
    let name = words.first ?? ""
    let near = commands.filter { $0.name == name }
    guard !near.isEmpty else {
      throw .usage("unknown command \"\(name)\"; there are \(names.joined(separator: ", "))")
    }
    let forms = near.map { "a2a-relay \($0.pattern)" }.joined(separator: "\n  ")
    throw .usage("\"\(words.joined(separator: " "))\" is not complete or has too much:\n  \(forms)")
  }

  /// In the order of the table.
  var names: [String] {
    commands.reduce(into: alsoThere) { names, command in
      if !names.contains(command.name) { names.append(command.name) }
    }
  }

  private func take(
    _ argument: String, from rest: inout ArraySlice<String>, into values: inout [String: [String]]
  ) throws(CommandFailure) {
    let parts = argument.dropFirst(2)
      .split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let name = parts.first ?? ""
    let all = Flag.common + commands.flatMap(\.flags)
    guard let flag = all.first(where: { $0.name == name }) else {
      throw .usage("unknown flag \"--\(name)\"; a2a-relay COMMAND --help names those there are")
    }
    guard flag.value != nil else {
      guard parts.count == 1 else { throw .usage("--\(name) takes no value") }
      return values[name, default: []].append("")
    }
    guard let value = parts.count == 2 ? parts[1] : rest.popFirst(), !value.isEmpty else {
      throw .usage("--\(name) needs a value: \(flag.value ?? "")")
    }
    values[name, default: []].append(value)
  }

  /// What one command takes, another may not.
  private func check(
    _ values: [String: [String]], _ command: Command
  ) throws(CommandFailure) {
    let taken = command.flags + Flag.common
    for name in values.keys.sorted() where !taken.contains(where: { $0.name == name }) {
      let list = taken.map { "--" + $0.name }.joined(separator: ", ")
      throw .usage("\(command.pattern) takes no --\(name); it takes \(list)")
    }
  }

  // MARK: help

  package func help(_ words: [String]) throws(CommandFailure) -> String {
    guard let name = words.first else { return overview }
    let forms = commands.filter { command in
      command.match(words) != nil || command.name == name && words.count == 1
    }
    let chosen = forms.isEmpty ? commands.filter { $0.name == name } : forms
    guard !chosen.isEmpty else {
      throw .usage("unknown command \"\(name)\"; there are \(names.joined(separator: ", "))")
    }
    return chosen.map(page).joined(separator: "\n") + "\nEvery command of the relay takes:\n"
      + Self.lines(Flag.common.map { ($0.shown, $0.text) })
  }

  private func page(_ command: Command) -> String {
    var text = "a2a-relay \(command.pattern)\n  \(command.summary)\n"
    if !command.notes.isEmpty { text += "  \(command.notes.replacing("\n", with: "\n  "))\n" }
    if !command.flags.isEmpty { text += Self.lines(command.flags.map { ($0.shown, $0.text) }) }
    return text
  }

  /// One line for each command.
  package var overview: String { Self.lines(commands.map { ($0.pattern, $0.summary) }) }

  private static func lines(_ rows: [(String, String)]) -> String {
    rows.map { left, right in
      let pad = String(repeating: " ", count: max(1, 36 - left.count))
      return "  " + left + pad + right + "\n"
    }.joined()
  }
}

extension Flag {
  fileprivate var shown: String { "--\(name)" + (value.map { " " + $0 } ?? "") }
}
