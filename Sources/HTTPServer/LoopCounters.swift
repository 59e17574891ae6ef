/// What the loop has done since it began; for metrics.
package struct LoopCounters: Sendable, Equatable {
  /// Returns of the wait; few when nothing happens.
  package var turns = 0
  package var connectionsAccepted = 0
  package var requests = 0
  /// Refused by the parser, by kind of failure in the log.
  package var requestsMalformed = 0
  package var requestsRefused = 0
  package var requestsTimedOut = 0
  /// Connections that took no bytes of their answer in time.
  package var writesTimedOut = 0
  package var idleClosed = 0
  /// Ended by an error or a reset of the peer.
  package var connectionsLost = 0
  package var acceptsPaused = 0
  package var bodiesRefusedForMemory = 0
  /// Times that free memory went back to the system.
  package var memoryGivenBack = 0
}
