import Relay

/// The next deadline of many slots, at most one each: a binary heap that knows where each slot is.
///
/// A later deadline than the current one costs nothing: the slot comes up at the earlier one, and
/// the caller sets it again. So a connection that serves request after request moves in the heap
/// once per idle time-out instead of twice per request.
struct DeadlineHeap {
  private struct Entry {
    var deadline: Instant
    var slot: UInt32
  }

  private static let nowhere = UInt32.max

  private var entries: [Entry] = []
  /// Slot → index in `entries`.
  private var places: [UInt32] = []

  var next: Instant? { entries.first?.deadline }
  var count: Int { entries.count }

  /// Makes the slot come up at `deadline` or before.
  mutating func set(_ slot: UInt32, atOrBefore deadline: Instant) {
    if places.count <= Int(slot) {
      let missing = Int(slot) + 1 - places.count
      places.append(contentsOf: repeatElement(DeadlineHeap.nowhere, count: missing))
    }
    let place = places[Int(slot)]
    if place == DeadlineHeap.nowhere {
      entries.append(Entry(deadline: deadline, slot: slot))
      rise(from: entries.count - 1)
    } else if deadline < entries[Int(place)].deadline {
      entries[Int(place)].deadline = deadline
      rise(from: Int(place))
    }
  }

  /// Takes a slot whose deadline has come, the earliest first.
  mutating func popDue(now: Instant) -> UInt32? {
    guard let first = entries.first, first.deadline <= now else { return nil }
    removeEntry(at: 0)
    return first.slot
  }

  mutating func remove(_ slot: UInt32) {
    guard Int(slot) < places.count, places[Int(slot)] != DeadlineHeap.nowhere else { return }
    removeEntry(at: Int(places[Int(slot)]))
  }

  private mutating func removeEntry(at index: Int) {
    places[Int(entries[index].slot)] = DeadlineHeap.nowhere
    let last = entries.removeLast()
    guard index < entries.count else { return }
    entries[index] = last
    // The last one may belong above or below the gap, never both.
    sink(from: index)
    rise(from: Int(places[Int(last.slot)]))
  }

  private mutating func rise(from start: Int) {
    let entry = entries[start]
    var index = start
    while index > 0 {
      let parent = (index - 1) / 2
      guard entry.deadline < entries[parent].deadline else { break }
      put(entries[parent], at: index)
      index = parent
    }
    put(entry, at: index)
  }

  private mutating func sink(from start: Int) {
    let entry = entries[start]
    var index = start
    while true {
      var child = 2 * index + 1
      guard child < entries.count else { break }
      if child + 1 < entries.count, entries[child + 1].deadline < entries[child].deadline {
        child += 1
      }
      guard entries[child].deadline < entry.deadline else { break }
      put(entries[child], at: index)
      index = child
    }
    put(entry, at: index)
  }

  private mutating func put(_ entry: Entry, at index: Int) {
    entries[index] = entry
    places[Int(entry.slot)] = UInt32(index)
  }
}
