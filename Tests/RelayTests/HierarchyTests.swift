import Relay
import Testing

/// Who may call whom, for every relation in a tree.
///
///       a       b
///      / \
///     c   d
///     |   |
///     e   f
@Suite struct HierarchyTests {
  private static func id(_ name: Character) -> WorkspaceID {
    WorkspaceID(UUIDBytes(high: 1, low: UInt64(name.asciiValue ?? 0)))
  }

  private static let above: [Character: Character] = ["c": "a", "d": "a", "e": "c", "f": "d"]

  private let tree = Hierarchy(depthMax: 32) { child in
    above.first { id($0.key) == child }.map { id($0.value) }
  }

  private func children(_ of: WorkspaceID) -> [WorkspaceID] {
    Self.above.filter { Self.id($0.value) == of }.map { Self.id($0.key) }
  }

  @Test func `itself, siblings, what is above and what is below may be called`() {
    let expected: [(Character, Character, Hierarchy.Relation?)] = [
      ("a", "a", .itself), ("f", "f", .itself), ("a", "b", .sibling), ("c", "d", .sibling),
      ("c", "a", .ancestor), ("e", "c", .ancestor), ("e", "a", .ancestor),
      ("a", "c", .descendant), ("a", "e", .descendant), ("d", "f", .descendant),
      ("e", "f", nil), ("f", "e", nil), ("c", "f", nil), ("f", "c", nil), ("b", "c", nil),
      ("e", "b", nil),
    ]
    for (one, other, relation) in expected {
      #expect(tree.relation(of: Self.id(other), to: Self.id(one)) == relation, "\(one) \(other)")
    }
    for one in "abcdef" {
      for other in "abcdef" {
        let there = tree.relation(of: Self.id(other), to: Self.id(one))
        let back = tree.relation(of: Self.id(one), to: Self.id(other))
        #expect((there == nil) == (back == nil), "who may call may be called: \(one) \(other)")
      }
    }
  }

  @Test func `nobody stands below itself`() {
    for (child, parent) in [("a", "a"), ("a", "c"), ("a", "e"), ("c", "e")]
      as [(Character, Character)]
    {
      #expect(
        tree.misfit(of: Self.id(child), below: Self.id(parent), children: children) == .cycle)
    }
    for (child, parent) in [("c", "b"), ("b", "f"), ("e", "d"), ("c", "a")]
      as [(Character, Character)]
    {
      #expect(tree.misfit(of: Self.id(child), below: Self.id(parent), children: children) == nil)
    }
  }

  @Test func `a path is as long as the limit, and no longer`() {
    let flat = Hierarchy(depthMax: 4, parent: tree.parent)
    // a-c-e, and b with nothing below it.
    #expect(flat.misfit(of: Self.id("b"), below: Self.id("e"), children: children) == nil)
    #expect(flat.misfit(of: Self.id("a"), below: Self.id("b"), children: children) == nil)
    #expect(flat.misfit(of: Self.id("d"), below: Self.id("e"), children: children) == .tooDeep)
  }

  @Test func `a circle in a damaged hierarchy does not loop for ever`() {
    let (one, two) = (Self.id("1"), Self.id("2"))
    let circle = Hierarchy(depthMax: 32) { $0 == one ? two : $0 == two ? one : nil }
    #expect(circle.relation(of: two, to: one) == .ancestor)
    #expect(circle.relation(of: Self.id("3"), to: one) == nil)
  }
}
