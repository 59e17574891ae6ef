package import Relay

/// The URLs at which the relay is reached from outside.
package struct PublicURLs: Sendable {
  /// Without a slash at its end.
  package let base: String

  package init(_ base: String) { self.base = base }

  /// Where callers reach a workspace.
  package func callers(of id: WorkspaceID) -> String { "\(base)/w/\(id.text)/" }

  /// Where the agent of a workspace polls.
  package func inbox(of id: WorkspaceID) -> String { "\(base)/workspaces/\(id.text)/inbox" }
}
