/// The tree of an org's workspaces: how one stands to another, and which may call each other.
///
/// The tree is a function from a workspace to the one above it, so that the same rule decides for
/// rows in memory and for a change that is being written.
package struct Hierarchy {
  package enum Relation: Equatable, Sendable { case itself, sibling, ancestor, descendant }

  /// Why a workspace cannot stand below another.
  package enum Misfit: Equatable, Sendable { case cycle, tooDeep }

  /// Returns the workspace above; `nil` for a root, and for an unknown workspace.
  package var parent: (WorkspaceID) -> WorkspaceID?
  /// The most workspaces on one path from a root to a leaf, both counted.
  package var depthMax: Int

  package init(depthMax: Int, parent: @escaping (WorkspaceID) -> WorkspaceID?) {
    self.depthMax = depthMax
    self.parent = parent
  }

  /// Returns how `other` stands to `one`; `nil` if they may not call each other. Both are in one
  /// org, whose roots are all siblings.
  package func relation(of other: WorkspaceID, to one: WorkspaceID) -> Relation? {
    if one == other { return .itself }
    if parent(one) == parent(other) { return .sibling }
    if isAbove(other, one) { return .ancestor }
    return isAbove(one, other) ? .descendant : nil
  }

  private func isAbove(_ upper: WorkspaceID, _ lower: WorkspaceID) -> Bool {
    path(from: lower).dropFirst().contains(upper)
  }

  /// Returns the path from a workspace up to its root, bounded by the longest path that is allowed:
  /// damaged rows must not cause an endless loop.
  private func path(from id: WorkspaceID) -> [WorkspaceID] {
    var path = [id]
    while path.count < depthMax, let next = parent(path[path.count - 1]) { path.append(next) }
    return path
  }

  /// Returns why `child`, with everything below it, cannot stand below `upper`; `nil` if it can.
  package func misfit(
    of child: WorkspaceID, below upper: WorkspaceID,
    children: (WorkspaceID) -> [WorkspaceID]
  ) -> Misfit? {
    let path = path(from: upper)
    if path.contains(child) { return .cycle }
    var level = [child]
    var depth = path.count
    while !level.isEmpty {
      depth += 1
      if depth > depthMax { return .tooDeep }
      level = level.flatMap(children)
    }
    return nil
  }
}
