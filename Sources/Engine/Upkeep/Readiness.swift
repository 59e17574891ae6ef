package import Relay

/// Whether the relay would take sends now, as `/ready` shows it.
package struct Readiness: Sendable {
  /// Why sends would not be taken, by names that stay the same.
  package enum Reason: String, Sendable {
    case writeFailed = "write_failed"
    case shuttingDown = "shutting_down"
    case diskLow = "disk_low"
    case diskFull = "disk_full"
    case commitRefused = "commit_refused"
    case commitSlow = "commit_slow"
  }

  /// The last probe: how long ago it ended, and how long its row took; nil: it was not stored.
  package struct Probe: Sendable {
    package var age: Duration
    package var took: Duration?

    package init(age: Duration, took: Duration? = nil) {
      self.age = age
      self.took = took
    }
  }

  /// Why sends would not be taken; empty when they would.
  package var reasons: [Reason]
  /// How many workspaces have a file that a final error has closed.
  package var unavailable: Int
  /// Those of them that the caller may read; nil: the number says enough.
  package var named: [WorkspaceID]?
  /// Files with messages that had no row at the start.
  package var unregistered: [WorkspaceID]
  /// The caller is the operator: the files without a row are nobody else's.
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

/// The last barrier, and since when none has passed.
package struct BarrierStatus: Sendable {
  package var form: Metrics.BarrierForm
  package var isOK: Bool
  package var took: Duration
  /// Since the last one that passed; nil: none has.
  package var okAge: Duration?
}

/// How much room the disk has for what, in bytes.
package struct RoomStatus: Sendable {
  package var free: Int64
  package var highWater: Int64
  package var sends: Int64
  package var results: Int64
  package var deletion: Int64
  package var inodes: Int64?
}
