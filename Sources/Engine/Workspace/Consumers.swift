import Relay

/// The last call, other than a heartbeat, of each consumer of a workspace.
///
/// Agents choose the names of consumers in their polls. A consumer that has been silent for longer
/// than any heartbeat can stretch a lease is forgotten.
struct Consumers {
  private var lastCall: [String: Instant] = [:]
  private var checkAt = Limits.consumersKept

  var count: Int { lastCall.count }

  mutating func called(_ consumer: String, _ limits: Limits, now: Now) {
    lastCall[consumer] = now.instant
    guard lastCall.count >= checkAt else { return }
    lastCall = lastCall.filter { $0.value + limits.heartbeatLeaseMax > now.instant }
    checkAt = max(Limits.consumersKept, 2 * lastCall.count)
  }

  func hasCalled(_ consumer: String, since instant: Instant) -> Bool {
    lastCall[consumer].map { $0 > instant } ?? false
  }
}
