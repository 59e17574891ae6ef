/// The commit rounds that were handed to the barrier, and how far the barrier has come. One barrier
/// makes a commit round durable.
struct Rounds {
  /// The last round that was handed to a barrier.
  private(set) var last: UInt64 = 0
  /// The last round that a barrier has covered.
  private var passed: UInt64 = 0
  /// The workspaces that have writes in a round, by the round's number.
  private var workspaces: [UInt64: [Workspace]] = [:]

  /// Whether no workspace waits for a barrier.
  var isEmpty: Bool { workspaces.isEmpty }

  /// The number of rounds that hold writes of a workspace.
  var count: Int { workspaces.count }

  /// The number of the round that is being collected.
  var next: UInt64 { last + 1 }

  func workspaces(in number: UInt64) -> [Workspace] { workspaces[number] ?? [] }

  mutating func add(_ workspace: Workspace, to number: UInt64) {
    workspaces[number, default: []].append(workspace)
  }

  /// Hands the round that is being collected to the barrier.
  mutating func ask() { last += 1 }

  /// Returns the rounds that the barrier of this round has covered, oldest first; `nil` if an
  /// earlier report has covered them.
  func covered(by number: UInt64) -> ClosedRange<UInt64>? {
    number > passed ? passed + 1...number : nil
  }

  /// Takes the workspaces of a round that a barrier has covered.
  mutating func take(_ number: UInt64) -> [Workspace] {
    workspaces.removeValue(forKey: number) ?? []
  }

  mutating func pass(_ number: UInt64) { passed = number }
}
