package import Relay

/// What the relay holds at one moment. Finding it takes a time that grows with the workspaces in
/// memory and nothing else.
package struct Levels: Sendable {
  /// Of open files, and of closed ones as they were when they were closed.
  package var depth = QueueDepth()
  package var filesOpen = 0
  package var filesOpened = 0
  package var filesFailed = 0
  package var walPages = 0
  package var walPagesMost = 0
  package var parkedPolls = 0
  package var heldCallers = 0
}
