import Relay
import Store
import System
package import Wire

/// Who may still write when the disk runs full: see `DiskRoom`.
extension Broker {
  /// Looks at the disk once a second, after many bytes, and when a write has found no room (then
  /// it takes no reserve): below the high-water mark sends are refused, and the reserves are taken
  /// when there is room for them.
  package func checkDisk(takesReserves: Bool = true) {
    // The reserves at this path may be another relay's by now.
    guard fatal == nil else { return }
    bytesSinceLook = 0
    do throws(StoreError) {
      var free = try freeBytes(data)
      if takesReserves { free = try data.room.takeReserves(free: free) }
      let state = try data.room.state(free: free)
      let before = disk
      disk = state
      metrics.disk = Metrics.Disk(
        free: state.free, highWater: data.highWater, isReserveHeld: data.room.reserve.isHeld)
      if state.isLow != isDiskLow {
        isDiskLow = state.isLow
        if isDiskLow { lowTimes += 1 }
        log.warning("disk_high_water", roomFields(state))
      }
      if state.isOutOfInodes, before?.isOutOfInodes != true {
        log.warning("disk_inodes_used_up", ["inodes": .number(state.inodes ?? 0)])
      }
      noteReserve(before, state)
    } catch {
      logRepeated(.error, "disk_check_failed", error.description)
    }
  }

  private func noteReserve(_ before: DiskRoom.State?, _ state: DiskRoom.State) {
    let isHeld = data.room.reserve.isHeld
    if isHeld, !wasReserveHeld { log.info("reserve_taken", roomFields(state)) }
    wasReserveHeld = isHeld
    let isOnly = data.room.isForDeletionOnly
    if isOnly != wasForDeletionOnly {
      log.warning("disk_for_deletion_only", roomFields(state))
      wasForDeletionOnly = isOnly
    }
  }

  private func roomFields(_ state: DiskRoom.State) -> Log.Fields {
    [
      "low": .flag(state.isLow), "free": .number(state.free), "for_sends": .number(state.sends),
      "for_results": .number(state.results), "for_deletion": .number(state.deletion),
    ]
  }

  /// How much room there is for what, in bytes; the same as in the log and in `doctor`.
  package var roomJSON: JSON {
    guard let disk else { return .null }
    var json: JSON = [
      "free": .number("\(disk.free)"), "high_water": .number("\(data.highWater)"),
      "for_sends": .number("\(disk.sends)"), "for_results": .number("\(disk.results)"),
      "for_deletion": .number("\(disk.deletion)"),
    ]
    json["inodes"] = disk.inodes.map { .number("\($0)") } ?? .null
    return json
  }

  /// A write has failed: gives room up, if it found none. Says whether to try again.
  func makeRoom(for use: DiskRoom.Use, after error: StoreError) -> Bool {
    guard error.kind == .full else { return false }
    do throws(StoreError) {
      let hasRoom = try data.room.makeRoom(for: use, after: error)
      if hasRoom, wasReserveHeld, !data.room.reserve.isHeld {
        wasReserveHeld = false
        log.warning("reserve_given_up")
      }
      if hasRoom { checkDisk(takesReserves: false) }
      return hasRoom
    } catch {
      logRepeated(.error, "reserve_not_given_up", error.description)
      return false
    }
  }

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

  /// Many bytes may be written from one look at the disk to the next.
  func countWritten(_ bytes: Int) {
    bytesSinceLook += bytes
    if Int64(bytesSinceLook) > data.highWater / 8 { checkDisk() }
  }

  // MARK: workspaces

  /// Its file has pages of its own for so many bytes: what was purged from it makes room for it.
  /// Only its log may have to grow, which has a bound.
  func hasOwnRoom(_ desk: Desk, for bytes: Int) -> Bool {
    guard desk.isOpen, let disk, disk.free > data.room.plan.resultsFloor else { return false }
    let free = (try? desk.file.freePages()) ?? 0
    return free * DiskPlan.pageBytes > 2 * (bytes + desk.batchBytes) + Self.ownRoomMin
  }

  private static let ownRoomMin = 1024 * 1024

  /// Whether a send of so many bytes has room.
  func hasRoomForSend(_ bytes: Int, _ desk: Desk) -> Bool {
    !isDiskLow || hasOwnRoom(desk, for: bytes)
  }

  /// Bytes that a result may have: of all that its workspace may hold, and, while the disk is low,
  /// of a share of the room for results, so that no agent uses up what others need.
  func roomForResult(_ desk: Desk, bytes: Int) -> Int {
    let most = limits.queueBytesMax + limits.keptBytesMax + limits.unreadBytesMax
    let used = ((try? desk.file.usedBytes()) ?? 0) + desk.batchBytes
    guard used + bytes <= most else { return 0 }
    guard isDiskLow, let disk, !hasOwnRoom(desk, for: bytes) else { return .max }
    if desk.lowTime != lowTimes { (desk.lowTime, desk.bytesWhileLow) = (lowTimes, 0) }
    let room = max(0, Int(disk.results) - bytesSinceLook - desk.batchBytes)
    let share = (room + desk.bytesWhileLow) * limits.lowDiskSharePercent / 100
    return max(0, share - desk.bytesWhileLow)
  }

  /// Only deletion may write: all else is refused before it is tried.
  func isForDeletionOnly(_ desk: Desk, _ writes: [Write]) -> Bool {
    data.room.isForDeletionOnly && !writes.contains(where: \.isDeletion)
      && !hasOwnRoom(desk, for: desk.batchBytes)
  }
}
