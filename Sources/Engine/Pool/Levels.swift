package import Relay

/// The totals over all workspaces at one moment. Computing them takes time in proportion to the
/// workspaces in memory.
package struct Levels: Sendable {
  /// The messages in open files, and in closed ones as of their closing.
  package var depth = QueueDepth()
  package var filesOpen = 0
  package var filesOpened = 0
  package var filesFailed = 0
  package var walPages = 0
  package var walPagesMost = 0
  package var parkedPolls = 0
  package var heldCallers = 0
}
