package import Relay

/// The division of the space of the data directory's file system. All sizes are parts of the whole,
/// so that a small disk works like a large one.
package struct DiskPlan: Sendable, Equatable {
  /// Bytes of the file system.
  package let total: Int64
  /// Free bytes below which sends are refused.
  package let highWater: Int64
  /// Bytes of the reserve for results and hand-outs, and of the one for deletion.
  package let reserve: Int64

  /// `limits.diskHighWater` is the mark of a large file system, 5 % that of a smaller one; below
  /// 320 MiB it is 16 MiB, or a quarter.
  package init(total: Int64, limits: Limits) throws(StoreError) {
    guard total >= limits.diskBytesMin else {
      throw StoreError(
        kind: .other, call: "start", path: "the data directory",
        message: "its file system has \(total) bytes; at least \(limits.diskBytesMin) are needed")
    }
    self.total = total
    let mark = max(total / 20, min(Limits.diskHighWaterMin, total / 4))
    highWater = min(limits.diskHighWater, mark)
    reserve = min(limits.diskReserveBytes, total / 16) / Self.block * Self.block
  }

  private static let block: Int64 = 4096
  package static let pageBytes = Database.pageBytes

  /// The space that results leave free, so that a full log can be copied into its file.
  package var resultsFloor: Int64 { min(reserve / 2, Limits.diskFloorBytesMax) }

  /// A limit that a small disk has no room for, and what it has room for.
  package typealias Scaled = (name: String, limit: WritableKeyPath<Limits, Int>, room: Int)

  package var scaled: [Scaled] {
    [
      ("walPagesIdle", \.walPagesIdle, pages(64)), ("walPagesBusy", \.walPagesBusy, pages(32)),
      ("walPagesMax", \.walPagesMax, pages(16)), ("freePagesMax", \.freePagesMax, pages(16)),
      ("keptBytesMax", \.keptBytesMax, Int(total / 8)),
      ("unreadBytesMax", \.unreadBytesMax, Int(total / 4)),
    ]
  }

  /// Returns one of `parts` equal parts of the file system, in pages of a file.
  private func pages(_ parts: Int64) -> Int { Int(total / parts) / Self.pageBytes }
}
