extension MessageTable {
  /// The table as a document shows it: one section per state.
  package static var markdown: String {
    MessageState.allCases.map(section).joined(separator: "\n")
  }

  private static func section(_ state: MessageState) -> String {
    var lines = ["### \(state)", "", "| event | becomes | writes | tells |", "|---|---|---|---|"]
    var impossible: [String] = []
    for event in MessageEvent.allCases {
      if let row = row(cell(state, event)) {
        lines.append("| \(event) | \(row) |")
      } else {
        impossible.append("\(event)")
      }
    }
    if !impossible.isEmpty {
      lines += ["", "Cannot happen: \(impossible.joined(separator: ", "))."]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func row(_ cell: Cell) -> String? {
    switch cell {
    case .move(let state, let write, let tell): "\(state) | \(words(write)) | \(words(tell))"
    case .stay(let tell): "– | – | \(words(tell))"
    case .wait: "after the report | – | –"
    case .settle(let tell): "the end that was written | – | \(words(tell))"
    case .back(let tell): "the state before the write | – | \(words(tell))"
    case .vanish(let tell): "nothing | – | \(words(tell))"
    case .impossible: nil
    }
  }

  private static func words(_ write: TableWrite) -> String {
    write == .none ? "–" : write.rawValue
  }

  private static func words(_ tell: Tell) -> String { tell == .nothing ? "–" : tell.rawValue }
}

extension TaskTable {
  /// The table as a document shows it: a dash where the event changes nothing.
  package static var markdown: String {
    let states = TaskState.allCases
    let head = "| event | " + states.map { "\($0)" }.joined(separator: " | ") + " |"
    let line = "|---|" + states.map { _ in "---|" }.joined()
    let rows = TaskEvent.allCases.map { event in
      let cells = states.map { state in next(state, event).map { "\($0)" } ?? "–" }
      return "| \(event) | " + cells.joined(separator: " | ") + " |"
    }
    return ([head, line] + rows).joined(separator: "\n") + "\n"
  }
}
