/// The commit rounds that were given to the barrier, and how far it has come. A round is what one
/// barrier makes durable.
struct Rounds {
  /// The last round that a barrier was asked for.
  private(set) var last: UInt64 = 0
  /// The last round that a barrier has covered.
  private var passed: UInt64 = 0
  /// Desks with something in a round, by its number.
  private var desks: [UInt64: [Desk]] = [:]

  /// Nothing of a workspace waits for a barrier.
  var isEmpty: Bool { desks.isEmpty }

  /// How many rounds have something of a workspace in them.
  var count: Int { desks.count }

  /// The number of the round that is being made.
  var next: UInt64 { last + 1 }

  func desks(in number: UInt64) -> [Desk] { desks[number] ?? [] }

  mutating func add(_ desk: Desk, to number: UInt64) { desks[number, default: []].append(desk) }

  /// The barrier is asked for the round that was being made.
  mutating func ask() { last += 1 }

  /// Returns the rounds that a barrier has covered with this one, oldest first.
  func covered(by number: UInt64) -> ClosedRange<UInt64>? {
    number > passed ? passed + 1...number : nil
  }

  /// Takes the desks of a round that a barrier has covered.
  mutating func take(_ number: UInt64) -> [Desk] { desks.removeValue(forKey: number) ?? [] }

  mutating func pass(_ number: UInt64) { passed = number }
}
