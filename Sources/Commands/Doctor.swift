import System
import Wire

/// `doctor`: looks for what usually goes wrong, and says what to do next.
enum Doctor {
  static let all = [
    Command(
      "doctor", "looks for what usually goes wrong, and says what to try",
      notes: "On the relay's own machine it looks at the data directory too (--data). The status\n"
        + "is 1 when it found a problem.", run: run)
  ]

  /// The findings, line by line.
  struct Report {
    enum Result: String { case ok, note, problem }

    struct Line {
      var result: Result
      var text: String
      var remedy: String?
    }

    private(set) var lines: [Line] = []

    mutating func ok(_ text: String) { lines.append(Line(result: .ok, text: text)) }
    /// Worth knowing, and nothing to be mended.
    mutating func note(_ text: String) { lines.append(Line(result: .note, text: text)) }
    mutating func problem(_ text: String, try remedy: String) {
      lines.append(Line(result: .problem, text: text, remedy: remedy))
    }

    var problems: Int { lines.count { $0.result == .problem } }

    var text: String {
      let rows = lines.map { line in
        let pad = String(repeating: " ", count: 9 - line.result.rawValue.count)
        let remedy = line.remedy.map { " → try: \($0)" } ?? ""
        return line.result.rawValue + pad + Plain.text(line.text) + Plain.text(remedy) + "\n"
      }
      let count =
        problems == 0 ? "no problem" : problems == 1 ? "1 problem" : "\(problems) problems"
      return rows.joined() + count + " found\n"
    }

    var json: JSON {
      [
        "problems": .number("\(problems)"),
        "checks": .array(
          lines.map { line in
            var json: JSON = ["result": .string(line.result.rawValue), "text": .string(line.text)]
            if let remedy = line.remedy { json["try"] = .string(remedy) }
            return json
          }),
      ]
    }
  }

  private static func run(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    var report = Report()
    examineMachine(line, &report)
    examineRelay(line, &report)
    try line.console.out(
      line.isJSON ? String(decoding: report.json.bytes, as: UTF8.self) + "\n" : report.text)
    return report.problems == 0 ? .done : .refused
  }
}
