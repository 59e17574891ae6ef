import Relay
import Wire

/// The medians of all runs, and which goals they meet.
struct Report {
  let command: Options.Command
  let machine: Machine
  let runs: [Measures]

  /// The least R that is believed: 60,000 a second on a disk that syncs in 0.17 ms, and less in
  /// proportion on slower ones. On faster ones it is no more: a commit of 64 messages takes 0.6 to
  /// 0.9 ms of CPU, and a sync that gets shorter than 0.17 ms hardly adds to that any more. A
  /// reference loop that something disturbed makes all ratios too good.
  static func referenceMin(syncP50 milliseconds: Double) -> Double {
    60_000 * min(1, 0.17 / milliseconds)
  }

  /// The runs in which R was too low for that disk, from 1.
  var invalidRuns: [Int] {
    runs.indices.filter { index in
      guard let reference = runs[index][.reference], let sync = runs[index][.syncP50] else {
        return false
      }
      return reference < Self.referenceMin(syncP50: sync)
    }.map { $0 + 1 }
  }

  /// One goal with its medians over the runs.
  struct Line {
    var goal: Goal
    var value: Double
    var comparison: Double?

    var isMet: Bool? { comparison.flatMap { goal.isMet($0) } }
  }

  var lines: [Line] {
    Goal.all.compactMap { goal in
      guard let value = median(runs.compactMap { $0[goal.key] }) else { return nil }
      return Line(
        goal: goal, value: value, comparison: median(runs.compactMap { goal.comparison($0) }))
    }
  }
}

extension Report {
  var table: String {
    var text = "a2a-bench \(RelayVersion.text), \(command.rawValue): median of \(runs.count)"
    text += runs.count == 1 ? " run" : " runs"
    text += "; \(machine.cpu), \(machine.cores) cores, Linux \(machine.kernel)"
    text += ", \(machine.fileSystem)\n\n"
    text += row("figure", "median", "compared", "goal", "")
    for line in lines { text += row(of: line) }
    for run in invalidRuns {
      text += "\nINVALID: run \(run) has a lower R than such a disk should give: something else "
      text += "used the machine, or a commit costs more CPU than the disk's time.\n"
    }
    return text
  }

  private func row(of line: Line) -> String {
    let goal = line.goal
    let value = "\(line.value.text(goal.digits)) \(goal.unit)"
    var compared = ""
    if let comparison = line.comparison {
      switch goal.compared {
      case .itself: break
      case .ratio(_, let other): compared = "\(comparison.text(2)) x \(other)"
      case .excess(_, let other): compared = "\(other) + \(comparison.text(2)) ms"
      }
    }
    let verdict = line.isMet.map { $0 ? "met" : "MISSED" } ?? ""
    return row(goal.title, value, compared, Self.text(goal.bound), verdict)
  }

  private static func text(_ bound: Goal.Bound) -> String {
    switch bound {
    case .none: ""
    case .atLeast(let bound, let aim):
      ">= \(bound.text(2))" + (aim.map { ", aim \($0.text(2))" } ?? "")
    case .atMost(let bound, let aim):
      "<= \(bound.text(bound < 10 ? 2 : 0))" + (aim.map { ", aim \($0.text(0))" } ?? "")
    }
  }

  private func row(
    _ title: String, _ value: String, _ compared: String, _ goal: String, _ verdict: String
  ) -> String {
    func left(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(1, width - text.utf8.count))
    }
    let right = String(repeating: " ", count: max(1, 13 - value.utf8.count)) + value
    var line = left(title, 40) + right + "  " + left(compared, 24) + left(goal, 19) + verdict
    while line.hasSuffix(" ") { line.removeLast() }
    return line + "\n"
  }

  var json: String {
    let value: JSON = [
      "command": .string(command.rawValue),
      "machine": [
        "cpu": .string(machine.cpu), "cores": .number("\(machine.cores)"),
        "kernel": .string(machine.kernel), "file_system": .string(machine.fileSystem),
      ],
      "valid": .bool(invalidRuns.isEmpty),
      "invalid_runs": .array(invalidRuns.map { .number("\($0)") }),
      "figures": .array(lines.map { Self.json($0) }),
      "runs": .array(
        runs.map { run in
          .object(
            Measures.Key.allCases.compactMap { key in
              run[key].map { JSON.Member(key.rawValue, .number($0.text(4))) }
            })
        }),
    ]
    return String(decoding: value.bytes, as: UTF8.self) + "\n"
  }

  private static func json(_ line: Line) -> JSON {
    var value: JSON = [
      "name": .string(line.goal.key.rawValue), "title": .string(line.goal.title),
      "median": .number(line.value.text(4)), "unit": .string(line.goal.unit),
    ]
    if let comparison = line.comparison { value["compared"] = .number(comparison.text(4)) }
    switch line.goal.compared {
    case .itself: break
    case .ratio(_, let other): value["compared_with"] = .string(other)
    case .excess(_, let other): value["compared_with"] = .string(other)
    }
    switch line.goal.bound {
    case .none: break
    case .atLeast(let bound, _): value["at_least"] = .number(bound.text(2))
    case .atMost(let bound, _): value["at_most"] = .number(bound.text(2))
    }
    if let isMet = line.isMet { value["met"] = .bool(isMet) }
    return value
  }
}
