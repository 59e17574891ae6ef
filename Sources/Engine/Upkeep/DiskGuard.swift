import Relay
package import Store
import System

/// Decides who may still write when the disk runs full: see `DiskRoom`.
///
/// It looks at the disk once a second, after many bytes, and when a write has found no room. Below
/// the high-water mark sends are refused; the reserves are taken when there is room for them.
package final class DiskGuard {
  private let data: DataDirectory
  private let limits: Limits
  private let metrics: Metrics
  private let log: Log
  private let repeatedLog: RepeatedLog
  /// Bytes that may still be written; tests let the disk fill up here.
  var freeBytes: (DataDirectory) throws(StoreError) -> Int64 = {
    (data: DataDirectory) throws(StoreError) in try data.freeBytes()
  }
  /// The findings of the last look at the disk.
  package private(set) var state: DiskRoom.State?
  /// Counts the times that the disk has become low: what a workspace has used belongs to one.
  private var lowTimes = 0
  /// Bytes committed since the last look.
  private var bytesSinceLook = 0
  /// What the log has said last.
  private var wasReserveHeld = false
  private var wasForDeletionOnly = false
  private var isEnded = false

  init(
    _ data: DataDirectory, _ limits: Limits, _ metrics: Metrics, _ log: Log,
    _ repeatedLog: RepeatedLog
  ) {
    self.data = data
    self.limits = limits
    self.metrics = metrics
    self.log = log
    self.repeatedLog = repeatedLog
  }

  /// The process ends: the reserves at this path may be another relay's by now.
  func end() { isEnded = true }

  // MARK: looks

  /// Free bytes are below the high-water mark.
  package var isLow: Bool { state?.isLow ?? false }

  var isOutOfInodes: Bool { state?.isOutOfInodes ?? false }

  /// Looks at the disk. After a write that has found no room it takes no reserves.
  package func look(takesReserves: Bool = true) {
    guard !isEnded else { return }
    bytesSinceLook = 0
    do throws(StoreError) {
      var free = try freeBytes(data)
      if takesReserves { free = try data.room.takeReserves(free: free) }
      let state = try data.room.state(free: free)
      let before = self.state
      self.state = state
      metrics.disk = Metrics.Disk(
        free: state.free, highWater: data.highWater, isReserveHeld: data.room.reserve.isHeld)
      if state.isLow != before?.isLow ?? false {
        if state.isLow { lowTimes += 1 }
        log.warning("disk_high_water", fields(state))
      }
      if state.isOutOfInodes, before?.isOutOfInodes != true {
        log.warning("disk_inodes_used_up", ["inodes": .number(state.inodes ?? 0)])
      }
      noteReserves(state)
    } catch {
      repeatedLog.error("disk_check_failed", error.description)
    }
  }

  private func noteReserves(_ state: DiskRoom.State) {
    let isHeld = data.room.reserve.isHeld
    if isHeld, !wasReserveHeld { log.info("reserve_taken", fields(state)) }
    wasReserveHeld = isHeld
    let isOnly = data.room.isForDeletionOnly
    if isOnly != wasForDeletionOnly {
      log.warning("disk_for_deletion_only", fields(state))
      wasForDeletionOnly = isOnly
    }
  }

  private func fields(_ state: DiskRoom.State) -> Log.Fields {
    [
      "low": .flag(state.isLow), "free": .number(state.free), "for_sends": .number(state.sends),
      "for_results": .number(state.results), "for_deletion": .number(state.deletion),
    ]
  }

  /// How much room there is for what; the same as in the log. Nil before the first look.
  var room: RoomStatus? {
    state.map {
      RoomStatus(
        free: $0.free, highWater: data.highWater, sends: $0.sends, results: $0.results,
        deletion: $0.deletion, inodes: $0.inodes)
    }
  }

  /// Counts bytes that were committed: many may be from one look at the disk to the next.
  func countWritten(_ bytes: Int) {
    bytesSinceLook += bytes
    if Int64(bytesSinceLook) > data.highWater / 8 { look() }
  }

  // MARK: writes that find no room

  /// Carries `body` out, again as long as more room can be given up for it.
  func withRoom<Result>(
    for use: DiskRoom.Use, _ body: () throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    while true {
      do throws(StoreError) { return try body() } catch {
        guard !error.isFinalForProcess, makeRoom(for: use, after: error) else { throw error }
      }
    }
  }

  /// Gives room up after a write that has found none. Says whether to try again.
  private func makeRoom(for use: DiskRoom.Use, after error: StoreError) -> Bool {
    guard error.kind == .full else { return false }
    do throws(StoreError) {
      let hasRoom = try data.room.makeRoom(for: use, after: error)
      if hasRoom, wasReserveHeld, !data.room.reserve.isHeld {
        wasReserveHeld = false
        log.warning("reserve_given_up")
      }
      if hasRoom { look(takesReserves: false) }
      return hasRoom
    } catch {
      repeatedLog.error("reserve_not_given_up", error.description)
      return false
    }
  }

  // MARK: who may write

  /// A workspace's file, and the bytes that its next transaction has so far.
  struct Writer {
    /// `nil` while it is closed.
    var file: WorkspaceFile?
    var batchBytes: Int
  }

  /// Says whether the file has pages of its own for so many bytes: what was purged from it makes
  /// room for them. Only its log may have to grow, which has a bound.
  private func hasOwnRoom(_ writer: Writer, for bytes: Int) -> Bool {
    guard let file = writer.file, let state, state.free > data.room.plan.resultsFloor
    else { return false }
    let free = (try? file.freePages()) ?? 0
    return free * DiskPlan.pageBytes > 2 * (bytes + writer.batchBytes) + Limits.ownRoomBytesMin
  }

  /// Says whether a send of so many bytes has room.
  func hasRoomForSend(_ bytes: Int, _ writer: Writer) -> Bool {
    !isLow || hasOwnRoom(writer, for: bytes)
  }

  /// Returns the bytes that a result may have: of all that its workspace may hold, and, while the
  /// disk is low, of a share of the room for results, so that no agent uses up what others need.
  func roomForResult(_ bytes: Int, _ writer: Writer, _ use: inout LowDiskUse) -> Int {
    let most = limits.queueBytesMax + limits.keptBytesMax + limits.unreadBytesMax
    let used = ((try? writer.file?.usedBytes()) ?? 0) + writer.batchBytes
    guard used + bytes <= most else { return 0 }
    guard let state, state.isLow, !hasOwnRoom(writer, for: bytes) else { return .max }
    use.begin(lowTimes)
    let room = max(0, Int(state.results) - bytesSinceLook - writer.batchBytes)
    let share = (room + use.bytes) * limits.lowDiskSharePercent / 100
    return max(0, share - use.bytes)
  }

  /// Counts a result against its workspace's share.
  func countResult(_ bytes: Int, _ use: inout LowDiskUse) {
    if isLow { use.add(bytes) }
  }

  /// Says whether only deletion may write: all else is refused before it is tried.
  func isForDeletionOnly(_ writes: [Write], _ writer: Writer) -> Bool {
    data.room.isForDeletionOnly && !writes.contains(where: \.isDeletion)
      && !hasOwnRoom(writer, for: writer.batchBytes)
  }

  /// Says whether there is room for a log of so many pages, beside what results may use.
  func hasRoom(forLogOf pages: Int) -> Bool {
    let needed = Int64(pages * DiskPlan.pageBytes) + data.room.plan.resultsFloor
    return state.map { $0.free > needed } ?? false
  }
}

/// Bytes of results that a workspace has stored since the disk became low.
struct LowDiskUse {
  private(set) var bytes = 0
  /// The number of the time that the disk is low.
  private var time = 0

  mutating func begin(_ time: Int) {
    guard time != self.time else { return }
    self.time = time
    bytes = 0
  }

  mutating func add(_ bytes: Int) { self.bytes += bytes }
}
