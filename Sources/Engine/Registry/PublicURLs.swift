package import Relay

/// The URLs at which the relay is reached from outside.
package struct PublicURLs: Sendable {
  /// The base URL, without a slash at the end.
  package let base: String

  package init(_ base: String) { self.base = base }

  /// Returns the URL at which callers reach a workspace.
  package func callers(of id: WorkspaceID) -> String { "\(base)/w/\(id.text)/" }

  /// Returns the URL at which the agent of a workspace polls.
  package func inbox(of id: WorkspaceID) -> String { "\(base)/workspaces/\(id.text)/inbox" }
}
