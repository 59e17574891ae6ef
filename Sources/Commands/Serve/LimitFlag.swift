import Relay
import Server

/// The bounds that `--limit` can set: those that a big or a small machine needs otherwise.
enum LimitFlag {
  private static let counts: [(name: String, path: any WritableKeyPath<Limits, Int> & Sendable)] =
    [
      ("queueMessagesMax", \.queueMessagesMax), ("queueBytesMax", \.queueBytesMax),
      ("callerSharePercent", \.callerSharePercent), ("parkedPollsMax", \.parkedPollsMax),
      ("connectionsMax", \.connectionsMax), ("openWorkspacesMax", \.openWorkspacesMax),
      ("interruptedTasksMax", \.interruptedTasksMax), ("attempts", \.attempts),
      ("walPagesIdle", \.walPagesIdle), ("walPagesBusy", \.walPagesBusy),
      ("walPagesMax", \.walPagesMax), ("bodyBytesMax", \.bodyBytesMax),
      ("bodiesInMemoryMax", \.bodiesInMemoryMax), ("cacheBytesMax", \.cacheBytesMax),
      ("unreadSharePercent", \.unreadSharePercent), ("bodySharePercent", \.bodySharePercent),
      ("anonymousSharePercent", \.anonymousSharePercent),
      ("orgSharePercent", \.orgSharePercent), ("headSharePercent", \.headSharePercent),
      ("workspacesPerOrgMax", \.workspacesPerOrgMax),
      ("cardsPerOrgBytesMax", \.cardsPerOrgBytesMax), ("cardsBytesMax", \.cardsBytesMax),
      ("anonymousBodyBytesMax", \.anonymousBodyBytesMax),
      ("keptBytesMax", \.keptBytesMax), ("keptMessagesMax", \.keptMessagesMax),
      ("unreadBytesMax", \.unreadBytesMax), ("unreadMessagesMax", \.unreadMessagesMax),
    ]

  /// Times, which the flag takes in milliseconds.
  private static let times:
    [(name: String, path: any WritableKeyPath<Limits, Duration> & Sendable)] = [
      ("hold", \.hold), ("offer", \.offer), ("lease", \.lease), ("keepAlive", \.keepAlive),
      ("restartGrace", \.restartGrace), ("backOffFirst", \.backOffFirst),
      ("backOffMax", \.backOffMax), ("timeToLive", \.timeToLive),
      ("removedKeep", \.removedKeep), ("headTime", \.headTime),
      ("bodyTime", \.bodyTime), ("anonymousBodyTime", \.anonymousBodyTime),
      ("idleTime", \.idleTime), ("writeTime", \.writeTime),
      ("retention", \.retention), ("idempotencyWindow", \.idempotencyWindow),
      ("shutdownTime", \.shutdownTime), ("shutdownRequestTime", \.shutdownRequestTime),
    ]

  static var names: [String] { (counts.map(\.name) + times.map(\.name)).sorted() }

  static func malformed(_ text: some StringProtocol) -> CommandFailure {
    .usage(
      "--limit must be NAME=VALUE, with a number above 0 (times in milliseconds); got "
        + "\"\(Plain.text(String(text)))\"")
  }

  /// Sets one limit from `NAME=VALUE`.
  static func set(_ text: Substring, _ options: inout ServeOptions) throws(CommandFailure) {
    let parts = text.split(separator: "=", maxSplits: 1)
    // The largest time is then 31 years, and sums of a few stay far from overflowing.
    guard parts.count == 2, let value = Int(parts[1]), (1...1_000_000_000_000) ~= value else {
      throw malformed(text)
    }
    let name = String(parts[0])
    if let found = counts.first(where: { $0.name == name }) {
      options.limits[keyPath: found.path] = value
    } else if let found = times.first(where: { $0.name == name }) {
      options.limits[keyPath: found.path] = .milliseconds(value)
    } else {
      throw .usage(
        "--limit knows no \"\(Plain.text(name))\"; the limits are "
          + names.joined(separator: ", "))
    }
    options.asked.insert(name)
  }
}
