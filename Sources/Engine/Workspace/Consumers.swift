import Relay

/// When each consumer of a workspace has made its last call that was no heartbeat.
///
/// Consumers are named by whoever polls: those that have been silent for longer than any heartbeat
/// can stretch a lease are forgotten.
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
