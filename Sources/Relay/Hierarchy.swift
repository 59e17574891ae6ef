/// How one workspace stands to another, and who may call whom by that.
///
/// Workspaces of an org form trees. Pure: the tree is a function from a workspace to the one above
/// it, so that the same rule decides for rows in memory and for a change that is on its way.
package struct Hierarchy {
  package enum Relation: Equatable, Sendable { case itself, sibling, ancestor, descendant }

  /// Why a workspace cannot stand below another.
  package enum Misfit: Equatable, Sendable { case cycle, tooDeep }

  /// The workspace above; `nil` for a root, and for one that is unknown.
  package var parent: (WorkspaceID) -> WorkspaceID?
  /// Workspaces on one path from a root to a leaf, both counted.
  package var depthMax: Int

  package init(depthMax: Int, parent: @escaping (WorkspaceID) -> WorkspaceID?) {
    self.depthMax = depthMax
    self.parent = parent
  }

  /// What `other` is to `one`; `nil` if they may not call each other. Both are in one org: all its
  /// roots are siblings.
  package func relation(of other: WorkspaceID, to one: WorkspaceID) -> Relation? {
    if one == other { return .itself }
    if parent(one) == parent(other) { return .sibling }
    if isAbove(other, one) { return .ancestor }
    return isAbove(one, other) ? .descendant : nil
  }

  private func isAbove(_ upper: WorkspaceID, _ lower: WorkspaceID) -> Bool {
    path(from: lower).dropFirst().contains(upper)
  }

  /// From a workspace up to its root, or as far as a path may be long: damaged rows must not keep
  /// anybody here for ever.
  private func path(from id: WorkspaceID) -> [WorkspaceID] {
    var path = [id]
    while path.count < depthMax, let next = parent(path[path.count - 1]) { path.append(next) }
    return path
  }

  /// Whether `child`, with all below it, may stand below `upper`; `nil` if it may.
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
