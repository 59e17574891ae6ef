/// A binary heap. The least element is the first.
package struct Heap<Element: Comparable> {
  private var elements: [Element] = []

  package init() {}

  package var count: Int { elements.count }
  package var isEmpty: Bool { elements.isEmpty }
  package var first: Element? { elements.first }

  package mutating func insert(_ element: Element) {
    elements.append(element)
    var child = elements.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard elements[child] < elements[parent] else { return }
      elements.swapAt(child, parent)
      child = parent
    }
  }

  package mutating func popFirst() -> Element? {
    guard let first = elements.first else { return nil }
    let last = elements.removeLast()
    if !elements.isEmpty {
      elements[0] = last
      sink(from: 0)
    }
    return first
  }

  /// Removes the elements for which `isWanted` is false, in linear time.
  package mutating func keep(_ isWanted: (Element) -> Bool) {
    elements.removeAll { !isWanted($0) }
    for index in stride(from: elements.count / 2, through: 0, by: -1) { sink(from: index) }
  }

  private mutating func sink(from start: Int) {
    var parent = start
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < elements.count && elements[child] < elements[least] {
        least = child
      }
      guard least != parent else { return }
      elements.swapAt(parent, least)
      parent = least
    }
  }
}
