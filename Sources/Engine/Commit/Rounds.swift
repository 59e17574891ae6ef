/// The commit rounds that were given to the barrier, and how far it has come. A round is what one
/// barrier makes durable.
struct Rounds {
  /// The last round that a barrier was asked for.
  private(set) var last: UInt64 = 0
  /// The last round that a barrier has covered.
  private var passed: UInt64 = 0
  /// Workspaces with something in a round, by its number.
  private var workspaces: [UInt64: [Workspace]] = [:]

  /// Nothing of a workspace waits for a barrier.
  var isEmpty: Bool { workspaces.isEmpty }

  /// How many rounds have something of a workspace in them.
  var count: Int { workspaces.count }

  /// The number of the round that is being made.
  var next: UInt64 { last + 1 }

  func workspaces(in number: UInt64) -> [Workspace] { workspaces[number] ?? [] }

  mutating func add(_ workspace: Workspace, to number: UInt64) {
    workspaces[number, default: []].append(workspace)
  }

  /// The barrier is asked for the round that was being made.
  mutating func ask() { last += 1 }

  /// Returns the rounds that a barrier has covered with this one, oldest first.
  func covered(by number: UInt64) -> ClosedRange<UInt64>? {
    number > passed ? passed + 1...number : nil
  }

  /// Takes the workspaces of a round that a barrier has covered.
  mutating func take(_ number: UInt64) -> [Workspace] {
    workspaces.removeValue(forKey: number) ?? []
  }

  mutating func pass(_ number: UInt64) { passed = number }
}
