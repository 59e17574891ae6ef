import Relay
import System

/// Holds back log lines that a failing turn would repeat: the first of a name is written, and then
/// at most one in `limits.repeatedLineEvery`, which says how many were not.
struct RepeatedLines {
  private struct Last {
    var at: Instant
    var heldBack: Int
  }

  private var lines: [String: Last] = [:]

  /// How many lines of this name were held back since the last one; `nil`: this one is too.
  mutating func admits(_ name: StaticString, every pause: Duration, now: Instant) -> Int? {
    let name = "\(name)"
    if let last = lines[name], now < last.at + pause {
      lines[name]?.heldBack += 1
      return nil
    }
    let heldBack = lines[name]?.heldBack ?? 0
    lines[name] = Last(at: now, heldBack: 0)
    return heldBack
  }
}

extension Broker {
  /// Logs what the next turn may meet again.
  func logRepeated(
    _ level: Log.Level, _ event: StaticString, workspace: WorkspaceID? = nil,
    _ text: String
  ) {
    let heldBack = repeatedLines.admits(
      event, every: limits.repeatedLineEvery, now: turnNow.instant)
    guard let heldBack else { return }
    let fields: Log.Fields = [
      "workspace": .text(workspace?.text ?? ""), "error": .text(text),
      "held_back": .number(heldBack),
    ]
    if level == .error { log.error(event, fields) } else { log.warning(event, fields) }
  }
}
