package import Relay
import System

/// The platform's activity feed, which is not served yet. Agents that poll it look alive, and get
/// nothing: they and their operators are told.
extension Broker {
  /// An agent has polled the feed of its workspace. Each workspace makes one line in the log.
  package func polledFeed(_ id: WorkspaceID, now: Now) {
    if directory.workspace(id)?.polledFeedAt == nil {
      log.warning(
        "feed_not_served",
        ["workspace": .text(id.text), "instead": .text(registryJSON.inboxURL(id) + "?wait=25")])
    }
    directory.polledFeed(id, at: now.wall)
  }
}
