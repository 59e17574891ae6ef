import System

/// One command: how its line is written, what it does, and what its help says of it.
///
/// The reader of lines, the help and the answer to a wrong line follow from the table of these.
package struct Command: Sendable {
  /// The command as it is typed: words, `NAME` for an argument, `[NAME]` for one that may be
  /// missing and `NAME…` for one or more.
  package let pattern: String
  package let summary: String
  /// The command's own flags, beside `CommonFlags` for a command that asks a relay.
  let flags: [Flag]
  /// Further lines of its help.
  let notes: String
  /// Whether the command asks a relay or works on its files. Such commands share some flags;
  /// `serve` and `health` share flags with each other only.
  let asksRelay: Bool
  let run: @Sendable (Invocation) throws(CommandFailure) -> ExitStatus

  /// A command that asks a relay: it takes `CommonFlags` beside its own flags.
  init(
    _ pattern: String, _ summary: String, flags: [Flag] = [], notes: String = "",
    run: @escaping @Sendable (Invocation) throws(CommandFailure) -> ExitStatus
  ) {
    self.pattern = pattern
    self.summary = summary
    self.flags = flags
    self.notes = notes
    asksRelay = true
    self.run = run
  }

  /// A command of the relay's own process.
  init(
    ofProcess pattern: String, _ summary: String, flags: [Flag],
    run: @escaping @Sendable (Invocation) throws(CommandFailure) -> ExitStatus
  ) {
    self.pattern = pattern
    self.summary = summary
    self.flags = flags
    notes = ""
    asksRelay = false
    self.run = run
  }

  /// The first word.
  package var name: String { String(parts.first?.text ?? "") }

  /// All flags that the command takes.
  var allFlags: [Flag] { asksRelay ? flags + CommonFlags.all : flags }

  struct Part {
    enum Kind { case word, argument, optional, rest }
    var kind: Kind
    var text: Substring
  }

  var parts: [Part] {
    pattern.split(separator: " ").map { text in
      if text.hasSuffix("…") { return Part(kind: .rest, text: text.dropLast()) }
      if text.hasPrefix("[") { return Part(kind: .optional, text: text.dropFirst().dropLast()) }
      let isWord = text.allSatisfy { $0.isLowercase || $0 == "-" }
      return Part(kind: isWord ? .word : .argument, text: text)
    }
  }

  /// Matches the words of a line. Returns `nil` if they are not this command's; else its arguments,
  /// and how many words of the pattern are literal.
  func match(_ words: [String]) -> (arguments: [String], literal: Int)? {
    var arguments: [String] = []
    var literal = 0
    var rest = words[...]
    for part in parts {
      switch part.kind {
      case .word:
        guard rest.popFirst() == String(part.text) else { return nil }
        literal += 1
      case .argument:
        guard let word = rest.popFirst() else { return nil }
        arguments.append(word)
      case .optional:
        if let word = rest.popFirst() { arguments.append(word) }
      case .rest:
        guard !rest.isEmpty else { return nil }
        arguments += rest
        rest = []
      }
    }
    return rest.isEmpty ? (arguments, literal) : nil
  }
}
