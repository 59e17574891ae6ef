package import Relay
import Store
import Wire

/// Reading that takes more than one turn: each call of `step` looks at one page, and says whether
/// that was the last.
struct Scan {
  var call: CallID
  var step: (Now) throws(RelayError) -> Bool
}

extension Broker {
  /// What the queue holds, and how long it has done so.
  package func queueStatus(_ operation: Operation, at id: WorkspaceID, now: Now) {
    do throws(RelayError) {
      let desk = try desk(id, now: now)
      desk.open[operation.call] = .workspaceUnavailable
      var ages = Ages()
      desk.scans.append(
        Scan(call: operation.call) { [unowned self] now throws(RelayError) in
          guard try look(&ages, desk) else { return false }
          desk.open[operation.call] = nil
          let json = queueJSON(desk, ages, now: now)
          read(Reply(call: operation.call, body: json.bytes), desk)
          return true
        })
      touch(desk)
    } catch {
      if waitsForFile(operation.call, error, now: now, { [unowned self] now in
        queueStatus(operation, at: id, now: now)
      }) {
        return
      }
      outbox.append(Reply(call: operation.call, error: error))
    }
  }

  /// The oldest of their kind, by the numbers in whose order messages come.
  private struct Ages {
    var cursor: Seq = 0
    var unanswered: WallTime?
    var unreceived: WallTime?
  }

  private func look(_ ages: inout Ages, _ desk: Desk) throws(RelayError) -> Bool {
    let after = ages.cursor
    let rows = try reading(desk) { () throws(StoreError) in
      try desk.file.page(.open, after: after, limit: limits.listRowsMax)
    }
    for row in rows {
      if !row.state.isEnd {
        if ages.unanswered == nil { ages.unanswered = row.at }
      } else if ages.unreceived == nil, !row.isReceived {
        ages.unreceived = row.at
      }
    }
    ages.cursor = rows.last?.seq ?? after
    return rows.count < limits.listRowsMax || ages.unanswered != nil && ages.unreceived != nil
  }

  private func queueJSON(_ desk: Desk, _ ages: Ages, now: Now) -> JSON {
    func age(_ time: WallTime?) -> JSON {
      time.map { .number("\(max(0, (now.wall - $0).nanoseconds / 1_000_000_000))") } ?? .null
    }
    let queue = desk.queue
    let settings = directory.workspace(desk.id)?.settings ?? Settings()
    var counts: JSON = [
      "queued": .number("\(max(0, queue.unanswered - queue.heldCount))"),
      "in_flight": .number("\(queue.heldCount)"),
    ]
    for (name, count) in queue.counts.named { counts[name] = .number("\(count)") }
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
      "oldest_unanswered_age_seconds": age(ages.unanswered),
      "oldest_unreceived_age_seconds": age(ages.unreceived),
      "parked_polls": .number("\(queue.parkedCount)"),
    ]
  }

  /// A page of each.
  func makeScans(_ desk: Desk, now: Now) {
    let scans = desk.scans
    desk.scans = []
    for scan in scans {
      do throws(RelayError) {
        if try !scan.step(now) { desk.scans.append(scan) }
      } catch {
        desk.open[scan.call] = nil
        outbox.append(Reply(call: scan.call, error: error))
      }
    }
  }
}
