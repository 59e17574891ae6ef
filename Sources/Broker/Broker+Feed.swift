package import Relay
import System
package import Wire

/// The platform's activity feed, which is not served yet. Agents that poll it look alive, and get
/// nothing: they and their operators are told.
extension Broker {
  /// An agent has polled the feed of its workspace. Each workspace makes one line in the log.
  package func polledFeed(_ id: WorkspaceID, now: Now) {
    if directory.workspace(id)?.polledFeedAt == nil {
      log.warning(
        "feed_not_served",
        ["workspace": .text(id.text), "instead": .text(inboxURL(id) + "?wait=25")])
    }
    directory.polledFeed(id, at: now.wall)
  }

  /// What works in its place.
  package func insteadOfFeed(_ id: WorkspaceID) -> (detail: String, members: [(String, JSON)]) {
    let url = inboxURL(id)
    return (
      "the activity feed is not served yet; poll GET \(url)?wait=25, and post each result to "
        + "\(url)/MESSAGE/result",
      [("inbox_url", .string(url))]
    )
  }

  /// Its agent polls the feed, and nobody polls the inbox.
  func isDeaf(_ record: WorkspaceRecord, now: Now) -> Bool {
    guard let polled = record.polledFeedAt, polled + limits.offlineAfter > now.wall
    else { return false }
    return desks[record.row.id]?.queue.isPresent(now: now) != true
  }

  func inboxURL(_ id: WorkspaceID) -> String { "\(publicURL)/workspaces/\(id.text)/inbox" }
}
