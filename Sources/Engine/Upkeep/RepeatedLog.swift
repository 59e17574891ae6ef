import Relay
import System

/// A log for events that may happen again in every turn, such as a failing commit, without
/// repeating their lines.
final class RepeatedLog {
  private let log: Log
  private let every: Duration
  private var lines = RepeatedLines()
  /// The time of the current turn.
  private var now = Instant(nanoseconds: 0)

  init(_ log: Log, every: Duration) {
    self.log = log
    self.every = every
  }

  /// Sets the time that decides which lines are held back.
  func turn(at now: Instant) { self.now = now }

  func warning(_ event: StaticString, workspace: WorkspaceID? = nil, _ text: String) {
    if let fields = fields(event, workspace, text) { log.warning(event, fields) }
  }

  func error(_ event: StaticString, workspace: WorkspaceID? = nil, _ text: String) {
    if let fields = fields(event, workspace, text) { log.error(event, fields) }
  }

  /// Returns the fields of a line; `nil` if the line is held back.
  private func fields(
    _ event: StaticString, _ workspace: WorkspaceID?, _ text: String
  ) -> Log.Fields? {
    guard let heldBack = lines.admits(event, every: every, now: now) else { return nil }
    return [
      "workspace": .text(workspace?.text ?? ""), "error": .text(text),
      "held_back": .number(heldBack),
    ]
  }
}

/// Holds repeated lines back. Of each event it admits the first line, and then at most one line in
/// `pause`, which shows the number of lines that were held back.
struct RepeatedLines {
  private struct Last {
    var at: Instant
    var heldBack: Int
  }

  private var lines: [String: Last] = [:]

  /// Returns the number of lines that were held back since the event's last line; `nil` if this
  /// line is held back too.
  mutating func admits(_ event: StaticString, every pause: Duration, now: Instant) -> Int? {
    let name = "\(event)"
    if let last = lines[name], now < last.at + pause {
      lines[name]?.heldBack += 1
      return nil
    }
    let heldBack = lines[name]?.heldBack ?? 0
    lines[name] = Last(at: now, heldBack: 0)
    return heldBack
  }
}
