/// A dictionary whose keys are numbers that the relay has given itself.
///
/// Nobody outside chooses the keys, so that they need no keyed hash: a multiplication spreads them,
/// and what collides stands in the next free place. A message is looked up some thirty times on its
/// way, which makes this worth a type. Zero is no key; looked up, it is not there.
package struct NumberTable<Key: FixedWidthInteger, Value>: ExpressibleByDictionaryLiteral {
  /// Zero in a free place. As many as `held`, a power of two, or none at all.
  @usableFromInline var places: [Key] = []
  @usableFromInline var held: [Value?] = []
  package private(set) var count = 0

  package init() {}

  package init(dictionaryLiteral elements: (Key, Value)...) {
    for (key, value) in elements { self[key] = value }
  }

  package var isEmpty: Bool { count == 0 }
  package var keys: [Key] { places.filter { $0 != 0 } }
  package var values: [Value] { held.compactMap { $0 } }

  @inlinable package subscript(key: Key) -> Value? {
    get {
      guard let place = find(key) else { return nil }
      return held[place]
    }
    _modify {
      if let place = find(key) {
        yield &held[place]
        if held[place] == nil { erase(place) }
      } else {
        var value: Value?
        yield &value
        if let value { insert(key, value) }
      }
    }
    set {
      guard let place = find(key) else {
        if let newValue { insert(key, newValue) }
        return
      }
      held[place] = newValue
      if newValue == nil { erase(place) }
    }
  }

  @inlinable package subscript(key: Key, default value: @autoclosure () -> Value) -> Value {
    get { self[key] ?? value() }
    _modify {
      var held = removeValue(forKey: key) ?? value()
      yield &held
      insert(key, held)
    }
  }

  @discardableResult
  @inlinable package mutating func removeValue(forKey key: Key) -> Value? {
    guard let place = find(key), let value = held[place] else { return nil }
    erase(place)
    return value
  }

  // MARK: places

  @inlinable func home(_ key: Key) -> Int {
    // 2^64 divided by the golden ratio; the upper bits of the product are the best spread.
    let spread = UInt64(truncatingIfNeeded: key) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: spread >> 32) & (places.count - 1)
  }

  @inlinable func find(_ key: Key) -> Int? {
    guard !places.isEmpty, key != 0 else { return nil }
    var place = home(key)
    while places[place] != key {
      if places[place] == 0 { return nil }
      place = (place + 1) & (places.count - 1)
    }
    return place
  }

  @usableFromInline mutating func insert(_ key: Key, _ value: Value) {
    precondition(key != 0, "zero is no key")
    // At most three of four places are taken: there is always a free one to end a search.
    if 4 * (count + 1) > 3 * places.count { grow() }
    put(key, value)
    count += 1
  }

  private mutating func put(_ key: Key, _ value: Value?) {
    var place = home(key)
    while places[place] != 0 { place = (place + 1) & (places.count - 1) }
    places[place] = key
    held[place] = value
  }

  private mutating func grow() {
    let (oldPlaces, oldHeld) = (places, held)
    let size = Swift.max(8, 2 * places.count)
    places = Array(repeating: 0, count: size)
    held = Array(repeating: nil, count: size)
    for (key, value) in zip(oldPlaces, oldHeld) where key != 0 { put(key, value) }
  }

  /// What stands behind in the same run moves up, so that a search still ends at a free place.
  @usableFromInline mutating func erase(_ erased: Int) {
    let mask = places.count - 1
    var gap = erased
    var next = (gap + 1) & mask
    while places[next] != 0 {
      let home = home(places[next])
      // It may move up only as far as its home.
      if (next - home) & mask >= (next - gap) & mask {
        places[gap] = places[next]
        held.swapAt(gap, next)
        gap = next
      }
      next = (next + 1) & mask
    }
    places[gap] = 0
    held[gap] = nil
    count -= 1
  }
}

extension NumberTable: Sequence {
  /// In no particular order. The table may change meanwhile.
  package func makeIterator() -> IndexingIterator<[(key: Key, value: Value)]> {
    var entries: [(key: Key, value: Value)] = []
    entries.reserveCapacity(count)
    for (key, value) in zip(places, held) {
      if let value { entries.append((key, value)) }
    }
    return entries.makeIterator()
  }
}
