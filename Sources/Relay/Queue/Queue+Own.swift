extension Queue {
  /// The oldest message of this caller that an agent holds now.
  package func oldestHeld(of caller: String) -> Message? {
    // Most have nothing here, and there may be thousands of others' messages.
    guard perCaller[caller]?.counts.unanswered ?? 0 > 0 else { return nil }
    return messages.values.filter {
      ($0.state == .offered || $0.state == .leased) && $0.handOut != nil && $0.caller == caller
    }.min { $0.seq < $1.seq }
  }
}
