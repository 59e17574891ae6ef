import Server

/// One command: how its line is written, what it does, and what its help says of it.
///
/// The parser, the help and the answer to a wrong line come from the table of these alone.
package struct Command: Sendable {
  /// As it is typed: words, `NAME` for an argument, `[NAME]` for one that may be missing and
  /// `NAME…` for one or more.
  package let pattern: String
  package let summary: String
  /// Beside those that every command takes.
  let flags: [Flag]
  /// What the help says further.
  let notes: String
  let run: @Sendable (Invocation) throws(CommandFailure) -> Int32

  init(
    _ pattern: String, _ summary: String, flags: [Flag] = [], notes: String = "",
    run: @escaping @Sendable (Invocation) throws(CommandFailure) -> Int32
  ) {
    self.pattern = pattern
    self.summary = summary
    self.flags = flags
    self.notes = notes
    self.run = run
  }

  /// The first word.
  package var name: String { String(parts.first?.text ?? "") }

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

  /// The arguments, if the words of a line are this command's; and how many words were literal.
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

/// `--name`, with a value or without. One name means the same wherever it is taken.
struct Flag: Sendable {
  let name: String
  /// What follows it; `nil`: nothing does.
  let value: String?
  let text: String

  init(_ name: String, _ value: String? = nil, _ text: String) {
    self.name = name
    self.value = value
    self.text = text
  }

  /// What every command takes that asks a relay.
  static let common = [
    Flag("relay", "URL", "the relay (default http://127.0.0.1:8080; env A2A_RELAY_URL)"),
    Flag(
      "token-file", "FILE",
      "the credential (default env A2A_RELAY_TOKEN, ADMIN_TOKEN, else DATA/admin-token)"),
    Flag(
      "data", "DIRECTORY",
      "the relay's data directory (env A2A_RELAY_DATA; default ./relay-data, else "
        + "\(OperatorPlace.Installation.documented.data))"),
    Flag("json", nil, "print the relay's JSON as it is"),
  ]
}

/// Why a command has not been carried out; each has its exit status.
package enum CommandFailure: Error {
  /// The line is wrong: 64 (EX_USAGE).
  case usage(String)
  /// Nobody answers: 69 (EX_UNAVAILABLE).
  case unreachable(String)
  /// A file cannot be read or written: 74 (EX_IOERR).
  case io(String)
  /// The credential is missing or not accepted: 77 (EX_NOPERM).
  case credential(String)
  /// The relay has refused, or a check has found something: 1.
  case refused(String)

  package var status: Int32 {
    switch self {
    case .usage: 64
    case .unreachable: 69
    case .io: 74
    case .credential: 77
    case .refused: 1
    }
  }

  package var text: String {
    switch self {
    case .usage(let text), .unreachable(let text), .io(let text), .credential(let text),
      .refused(let text):
      text
    }
  }
}
