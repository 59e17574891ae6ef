import Glibc
import Relay
import System

/// The space of the data directory's file system, and how much of it is there for what.
///
/// Sends stop first, at the high-water mark. Results and hand-outs go on, and may use the reserve
/// when a write finds no room. A second reserve is for deletion alone: while it is in use nothing
/// else is written, so that a purge, retention or a removal always finds room.
package final class DiskRoom {
  /// The writes that may use the last room.
  package enum Use: Sendable { case results, deletion }

  /// The room that was found last.
  package struct State: Sendable, Equatable {
    package var free: Int64
    /// Inodes; `nil` where the file system does not count them.
    package var inodes: Int64?
    /// Bytes that each may still write.
    package var sends: Int64
    package var results: Int64
    package var deletion: Int64

    package var isLow: Bool { sends == 0 }
    package var isOutOfInodes: Bool { inodes.map { $0 < Int64(Limits.inodesMin) } ?? false }
  }

  package let plan: DiskPlan
  private let path: String
  package let reserve: Reserve
  package let deletionReserve: Reserve
  /// Inodes that are left; tests let the disk run out of them here.
  package var freeInodes: (String) throws(StoreError) -> Int64? = {
    (path: String) throws(StoreError) in try FileSystem.freeInodes(path)
  }
  /// A write found no room, and it is not proved yet that there is some again.
  package private(set) var isSpent = false

  init(path: String, plan: DiskPlan) {
    self.path = path
    self.plan = plan
    reserve = Reserve(path: path + "/reserve", bytes: plan.reserve)
    deletionReserve = Reserve(path: path + "/reserve-deletion", bytes: plan.reserve)
  }

  /// Whether only deletion may write.
  package private(set) var isForDeletionOnly = false

  /// A write has failed with `error`: gives room up for `use`. Says whether trying again may help.
  package func makeRoom(for use: Use, after error: StoreError) throws(StoreError) -> Bool {
    // A file that may not grow is no full disk.
    guard error.kind == .full, !error.isFileTooLarge else { return false }
    isSpent = true
    if reserve.isHeld {
      try reserve.giveUp()
      return true
    }
    guard use == .deletion, deletionReserve.isHeld else { return false }
    try deletionReserve.giveUp()
    isForDeletionOnly = true
    return true
  }

  /// A write that is not repeated has found no room.
  package func noteFull(_ error: StoreError) {
    if !error.isFileTooLarge { isSpent = true }
  }

  /// Takes the reserves when there is room for them, the one for deletion first; says how many
  /// bytes are free then.
  package func takeReserves(free: Int64) throws(StoreError) -> Int64 {
    var free = free
    if !deletionReserve.isHeld, free > plan.resultsFloor + plan.reserve {
      if try deletionReserve.take(proving: 0) { free -= plan.reserve }
    }
    if deletionReserve.isHeld { isForDeletionOnly = false }
    if !reserve.isHeld || isSpent, free > plan.highWater + 2 * plan.reserve {
      // A quota does not show in what is free: as much again must be there for the sends.
      let wasHeld = reserve.isHeld
      if try reserve.take(proving: plan.reserve) {
        isSpent = false
        if !wasHeld { free -= plan.reserve }
      }
    }
    return free
  }

  package func state(free: Int64) throws(StoreError) -> State {
    let held = free + (reserve.isHeld ? plan.reserve : 0)
    return State(
      free: free, inodes: try freeInodes(path),
      sends: isSpent ? 0 : max(0, free - plan.highWater),
      results: isForDeletionOnly ? 0 : max(0, held - plan.resultsFloor),
      deletion: held + (deletionReserve.isHeld ? plan.reserve : 0))
  }

  /// Runs what needs room before anybody can be asked: the start.
  func whileFull<Result>(
    _ body: () throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    while true {
      do throws(StoreError) { return try body() } catch {
        guard try makeRoom(for: .deletion, after: error) else { throw error }
      }
    }
  }
}
