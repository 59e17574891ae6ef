/// Counts of what the loop has done since it began, for metrics.
package struct LoopCounters: Sendable, Equatable {
  /// Turns made; few when nothing happens.
  package var turns = 0
  package var connectionsAccepted = 0
  package var requests = 0
  /// Requests refused by the parser; the log has the kind of failure.
  package var requestsMalformed = 0
  package var requestsRefused = 0
  package var requestsTimedOut = 0
  /// Connections that took no bytes of their answer in time.
  package var writesTimedOut = 0
  package var idleClosed = 0
  /// Connections ended by an error or by a reset of the peer.
  package var connectionsLost = 0
  package var acceptsPaused = 0
  package var bodiesRefusedForMemory = 0
  /// How often freed memory went back to the system.
  package var memoryGivenBack = 0
}
