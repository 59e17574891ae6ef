package import Relay

/// The readiness of the relay to accept sends, as `/ready` shows it.
package struct Readiness: Sendable {
  /// A reason why sends would be refused, with a stable name.
  package enum Reason: String, Sendable {
    case writeFailed = "write_failed"
    case shuttingDown = "shutting_down"
    case diskLow = "disk_low"
    case diskFull = "disk_full"
    case commitRefused = "commit_refused"
    case commitSlow = "commit_slow"
  }

  /// The last probe: the time since its end, and the time that its row took; nil if the row was not
  /// stored.
  package struct Probe: Sendable {
    package var age: Duration
    package var took: Duration?

    package init(age: Duration, took: Duration? = nil) {
      self.age = age
      self.took = took
    }
  }

  /// The reasons why sends would be refused; empty if they would be accepted.
  package var reasons: [Reason]
  /// The number of workspaces whose file a final error has closed.
  package var unavailable: Int
  /// The workspaces among them that the caller may read; nil if the caller gets only their number.
  package var named: [WorkspaceID]?
  /// The files that had messages but no row at the start.
  package var unregistered: [WorkspaceID]
  /// Whether the caller is the operator, who alone sees the names of files without a row.
  package var namesUnregistered: Bool
  package var isDiskLow: Bool
  package var room: RoomStatus?
  package var barrier: BarrierStatus?
  package var probe: Probe?

  package var isReady: Bool { reasons.isEmpty }

  package init(
    reasons: [Reason] = [], unavailable: Int = 0, named: [WorkspaceID]? = nil,
    unregistered: [WorkspaceID] = [], namesUnregistered: Bool = false, isDiskLow: Bool = false,
    room: RoomStatus? = nil, barrier: BarrierStatus? = nil, probe: Probe? = nil
  ) {
    self.reasons = reasons
    self.unavailable = unavailable
    self.named = named
    self.unregistered = unregistered
    self.namesUnregistered = namesUnregistered
    self.isDiskLow = isDiskLow
    self.room = room
    self.barrier = barrier
    self.probe = probe
  }
}

/// The last barrier, and the time since one last passed.
package struct BarrierStatus: Sendable {
  package var form: Metrics.BarrierForm
  package var isOK: Bool
  package var took: Duration
  /// The time since a barrier last passed; nil if none has.
  package var okAge: Duration?
}

/// The room that the disk has for each kind of write, in bytes.
package struct RoomStatus: Sendable {
  package var free: Int64
  package var highWater: Int64
  package var sends: Int64
  package var results: Int64
  package var deletion: Int64
  package var inodes: Int64?
}
