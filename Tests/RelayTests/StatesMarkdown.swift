import Relay

/// The state tables as a document shows them: one row for each event, one column for each state.
///
/// Only a cell that says something is filled, and events or states that behave alike share a row
/// or a column.
enum StatesMarkdown {
  static var messages: String {
    let columns = grouped(MessageState.allCases) { state in
      MessageEvent.allCases.map { text(MessageTable.cell(state, $0)) }
    }
    return table(
      columns, MessageEvent.allCases, cell: { text(MessageTable.cell($0, $1)) })
  }

  static var tasks: String {
    let columns = grouped(TaskState.allCases) { state in
      TaskEvent.allCases.map { text(TaskTable.next(state, $0)) }
    }
    return table(columns, TaskEvent.allCases, cell: { text(TaskTable.next($0, $1)) })
  }

  /// Events that change nothing in any state, and so have no row.
  static var silentEvents: String {
    MessageEvent.allCases.filter { event in
      MessageState.allCases.allSatisfy { text(MessageTable.cell($0, event)).isEmpty }
    }.map { "`\($0)`" }.joined(separator: ", ")
  }

  private static func table<State, Event>(
    _ columns: [[State]], _ events: [Event], cell: (State, Event) -> String
  ) -> String {
    let rows = grouped(events) { event in columns.map { cell($0[0], event) } }
      .filter { row in columns.contains { !cell($0[0], row[0]).isEmpty } }
    let head = "| | " + columns.map(names).joined(separator: " | ") + " |"
    let line = "|---|" + columns.map { _ in "---|" }.joined()
    return
      ([head, line]
      + rows.map { row in
        "| **\(names(row))** | "
          + columns.map { cell($0[0], row[0]) }.joined(separator: " | ") + " |"
      }).joined(separator: "\n") + "\n"
  }

  private static func names<Name>(_ group: [Name]) -> String {
    group.map { "\($0)" }.joined(separator: ", ")
  }

  /// Puts those with equal cells together, in the order of the first of each.
  private static func grouped<Item>(_ items: [Item], cells: (Item) -> [String]) -> [[Item]] {
    var groups: [(cells: [String], items: [Item])] = []
    for item in items {
      let own = cells(item)
      if let place = groups.firstIndex(where: { $0.cells == own }) {
        groups[place].items.append(item)
      } else {
        groups.append((own, [item]))
      }
    }
    return groups.map(\.items)
  }

  private static func text(_ next: TaskState?) -> String { next.map { "\($0)" } ?? "" }

  private static func text(_ cell: Cell) -> String {
    switch cell {
    case .move(let state, let write, let tell):
      "→ \(state)" + (write == .none ? "" : " (\(write.rawValue))") + answer(tell)
    case .stay(.nothing), .impossible: ""
    case .stay(let tell): tell.rawValue
    case .wait: "later"
    case .settle(let tell): "→ its end" + answer(tell)
    case .back(let tell): "→ back" + answer(tell)
    case .vanish(let tell): "→ gone" + answer(tell)
    }
  }

  private static func answer(_ tell: Tell) -> String {
    tell == .nothing ? "" : ": \(tell.rawValue)"
  }
}
