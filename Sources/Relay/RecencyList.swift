/// Keys in the order of their last use. Every operation takes constant time: each key is linked to
/// its neighbours.
package struct RecencyList<Key: Hashable> {
  private struct Node {
    var key: Key
    var older: Int
    var newer: Int
  }

  private static var none: Int { -1 }

  private var nodes: [Node] = []
  /// Places in `nodes` that hold no key.
  private var free: [Int] = []
  private var places: [Key: Int] = [:]
  private var oldestPlace = -1
  private var newestPlace = -1

  package init() {}

  package var count: Int { places.count }
  package var isEmpty: Bool { places.isEmpty }

  /// The key that has not been used for the longest time.
  package var oldest: Key? { oldestPlace == Self.none ? nil : nodes[oldestPlace].key }

  package func contains(_ key: Key) -> Bool { places[key] != nil }

  /// Makes `key` the newest one; adds it if it is missing.
  package mutating func use(_ key: Key) {
    let place = detached(key)
    nodes[place].older = newestPlace
    if newestPlace == Self.none { oldestPlace = place } else { nodes[newestPlace].newer = place }
    newestPlace = place
  }

  /// Makes `key` the oldest one; adds it if it is missing.
  package mutating func useFirst(_ key: Key) {
    let place = detached(key)
    nodes[place].newer = oldestPlace
    if oldestPlace == Self.none { newestPlace = place } else { nodes[oldestPlace].older = place }
    oldestPlace = place
  }

  package mutating func remove(_ key: Key) {
    guard let place = places.removeValue(forKey: key) else { return }
    unlink(place)
    free.append(place)
  }

  /// Returns a place for the key to which no neighbour is linked.
  private mutating func detached(_ key: Key) -> Int {
    let node = Node(key: key, older: Self.none, newer: Self.none)
    if let place = places[key] {
      unlink(place)
      nodes[place] = node
      return place
    }
    if let place = free.popLast() {
      nodes[place] = node
      places[key] = place
      return place
    }
    nodes.append(node)
    places[key] = nodes.count - 1
    return nodes.count - 1
  }

  private mutating func unlink(_ place: Int) {
    let (older, newer) = (nodes[place].older, nodes[place].newer)
    if older == Self.none { oldestPlace = newer } else { nodes[older].newer = newer }
    if newer == Self.none { newestPlace = older } else { nodes[newer].older = older }
  }
}
