import Relay
package import Store
import System

/// Decides who may still write when the disk runs full: see `DiskRoom`.
///
/// It measures the disk once a second, after many written bytes, and when a write finds no room.
/// Below the high-water mark it refuses sends. It fills the reserves when there is room for them.
package final class DiskGuard {
  private let data: DataDirectory
  private let limits: Limits
  private let metrics: Metrics
  private let log: Log
  private let repeatedLog: RepeatedLog
  /// Returns the bytes that can still be written. Tests replace it to let the disk fill up.
  var freeBytes: (DataDirectory) throws(StoreError) -> Int64 = {
    (data: DataDirectory) throws(StoreError) in try data.freeBytes()
  }
  /// The result of the last measurement of the disk.
  package private(set) var state: DiskRoom.State?
  /// The number of times that the disk has become low. A workspace's use of the disk belongs to one
  /// of them.
  private var lowTimes = 0
  /// The bytes committed since the last measurement.
  private var bytesSinceLook = 0
  /// The state of the reserve in the last log line.
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

  /// Stops managing the reserves: when the process ends, the files at their path may belong to
  /// another relay.
  func end() { isEnded = true }

  // MARK: measuring

  /// Whether the free bytes are below the high-water mark.
  package var isLow: Bool { state?.isLow ?? false }

  var isOutOfInodes: Bool { state?.isOutOfInodes ?? false }

  /// Measures the disk.
  ///
  /// - `takesReserves`: false after a write that has found no room.
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

  /// The room that the disk has for each kind of write, as in the log. Nil before the first
  /// measurement.
  var room: RoomStatus? {
    state.map {
      RoomStatus(
        free: $0.free, highWater: data.highWater, sends: $0.sends, results: $0.results,
        deletion: $0.deletion, inodes: $0.inodes)
    }
  }

  /// Counts committed bytes, of which there may be many between two measurements.
  func countWritten(_ bytes: Int) {
    bytesSinceLook += bytes
    if Int64(bytesSinceLook) > data.highWater / 8 { look() }
  }

  // MARK: writes that find no room

  /// Runs `body`, and again as long as it finds no room and a reserve can be given up for it.
  func withRoom<Result>(
    for use: DiskRoom.Use, _ body: () throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    while true {
      do throws(StoreError) { return try body() } catch {
        guard !error.isFinalForProcess, makeRoom(for: use, after: error) else { throw error }
      }
    }
  }

  /// Gives up a reserve after a write that has found no room. Returns whether to try again.
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

  /// A workspace's file, and the size of the workspace's next transaction so far.
  struct Writer {
    /// The file; `nil` while it is closed.
    var file: WorkspaceFile?
    var batchBytes: Int
  }

  /// Returns whether the file has enough free pages for these bytes, because content was deleted
  /// from it. Then only its log may have to grow, and the log has a bound.
  private func hasOwnRoom(_ writer: Writer, for bytes: Int) -> Bool {
    guard let file = writer.file, let state, state.free > data.room.plan.resultsFloor
    else { return false }
    let free = (try? file.freePages()) ?? 0
    return free * DiskPlan.pageBytes > 2 * (bytes + writer.batchBytes) + Limits.ownRoomBytesMin
  }

  /// Returns whether there is room for a send of this size.
  func hasRoomForSend(_ bytes: Int, _ writer: Writer) -> Bool {
    !isLow || hasOwnRoom(writer, for: bytes)
  }

  /// Returns how many bytes a result may have. A result must fit into its workspace's limits and,
  /// while the disk is low, into the workspace's share of the room for results, so that no agent
  /// uses up the room of others.
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

  /// Counts a result against the workspace's share.
  func countResult(_ bytes: Int, _ use: inout LowDiskUse) {
    if isLow { use.add(bytes) }
  }

  /// Returns whether only deletions may write, so that these writes are refused without an attempt.
  func isForDeletionOnly(_ writes: [Write], _ writer: Writer) -> Bool {
    data.room.isForDeletionOnly && !writes.contains(where: \.isDeletion)
      && !hasOwnRoom(writer, for: writer.batchBytes)
  }

  /// Returns whether there is room for a log of this many pages beside the room for results.
  func hasRoom(forLogOf pages: Int) -> Bool {
    let needed = Int64(pages * DiskPlan.pageBytes) + data.room.plan.resultsFloor
    return state.map { $0.free > needed } ?? false
  }
}

/// The bytes of results that a workspace has stored since the disk became low.
struct LowDiskUse {
  private(set) var bytes = 0
  /// The low-disk period that the bytes belong to.
  private var time = 0

  mutating func begin(_ time: Int) {
    guard time != self.time else { return }
    self.time = time
    bytes = 0
  }

  mutating func add(_ bytes: Int) { self.bytes += bytes }
}
