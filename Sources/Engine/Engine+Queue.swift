package import Relay
import Store
import Wire

/// Reading that takes more than one turn: each call of `step` looks at one page, and says whether
/// that was the last.
struct Scan {
  var call: CallID
  var step: (Now) throws(RelayError) -> Bool
}

extension Engine {
  /// What the queue holds, and how long it has done so: from memory, since many may ask at once.
  package func queueStatus(_ operation: Operation, at id: WorkspaceID, now: Now) {
    withFile(operation.call, now: now) { [unowned self] now throws(RelayError) in
      let desk = try desk(id, now: now)
      let json = queueJSON(desk, desk.queue.depth, now: now)
      read(Reply(call: operation.call, body: json.bytes), desk)
      touch(desk)
    }
  }

  private func queueJSON(_ desk: Desk, _ depth: QueueDepth, now: Now) -> JSON {
    func age(_ time: WallTime?) -> JSON {
      time.map { .number("\(max(0, (now.wall - $0).nanoseconds / 1_000_000_000))") } ?? .null
    }
    let queue = desk.queue
    let settings = directory.workspace(desk.id)?.settings ?? Settings()
    var counts: JSON = [
      "queued": .number("\(max(0, queue.unanswered - queue.heldCount))"),
      "in_flight": .number("\(queue.heldCount)"),
    ]
    for (name, count) in depth.counts.named { counts[name] = .number("\(count)") }
    return [
      "workspace": .string(desk.id.text),
      "agent": queue.isPresent(now: now) ? "present" : "away",
      "paused": .bool(settings.isPaused),
      "sends": settings.refusesSends ? "refuse" : "accept",
      "counts": counts,
      "bytes": .number("\(queue.bytes)"),
      "limits": [
        "messages": .number("\(limits.queueMessagesMax)"),
        "bytes": .number("\(limits.queueBytesMax)"),
      ],
      "oldest_unanswered_age_seconds": age(depth.oldestUnanswered),
      "oldest_unreceived_age_seconds": age(depth.oldestUnreceived),
      "parked_polls": .number("\(queue.parkedCount)"),
    ]
  }

  func add(_ scan: Scan, _ desk: Desk) {
    desk.scans.append(scan)
    if !scanning.contains(desk.id) { scanning.append(desk.id) }
    touch(desk)
  }

  /// One page in a turn, of one scan: the workspaces take turns, and in each its scans do, so that
  /// nobody's reading holds up the others' calls.
  func scanOnce(now: Now) {
    while !scanning.isEmpty {
      let id = scanning.removeFirst()
      guard let desk = desks[id], desk.failure == nil, !desk.scans.isEmpty else { continue }
      let scan = desk.scans.removeFirst()
      do throws(RelayError) {
        if try !scan.step(now) { desk.scans.append(scan) }
      } catch {
        desk.open[scan.call] = nil
        replies.send(Reply(call: scan.call, error: error))
      }
      if !desk.scans.isEmpty { scanning.append(id) }
      touch(desk)
      return carryOut(desk, now: now)
    }
  }
}
