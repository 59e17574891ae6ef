/// Bounds that are the same for every relay and every test, so that no value carries them.
extension Limits {
  // MARK: One turn of the HTTP server
  /// Bytes read from one connection at once: a fast sender must not starve the others.
  package static let readBytesMax = 64 * 1024
  /// Connections accepted in one turn.
  package static let acceptsInTurnMax = 64
  /// Connections with news that one turn looks at.
  package static let eventsInTurnMax = 256
  /// Bytes of further requests taken from a connection while one request is in work.
  package static let pipelinedBytesMax = 4096
  /// Bytes of a refused body that are read and discarded. It must be more than a body may have: a
  /// proxy that cannot send the whole body takes the response for lost.
  package static let drainBytesMax = 12 * 1024 * 1024
  /// Time for which a connection that ends waits for its peer to close it.
  package static let drainTime = Duration.seconds(2)
  /// Nobody is accepted for this long after descriptors ran out, unless a connection is closed.
  package static let acceptPause = Duration.milliseconds(100)
  /// First wait before looking whether a peer has acknowledged a response; it doubles each time.
  package static let receiptLookFirst = Duration.milliseconds(20)
  /// Longest such wait.
  package static let receiptLookMax = Duration.seconds(1)
  /// Log lines per second about refused connections and requests; the others are counted.
  package static let refusalLinesPerSecondMax = 5
  /// Free memory is returned to the system at most this often.
  package static let memoryReturnEvery = Duration.seconds(1)

  // MARK: One turn of the engine
  /// A turn that has taken longer leaves upkeep to the next turn, so that nobody waits for both.
  package static let upkeepAfterMax = Duration.milliseconds(5)
  /// Longest time for which postponed upkeep waits for the barrier.
  package static let upkeepBarrierWaitMax = Duration.milliseconds(50)
  /// The longest time for which busy turns may postpone upkeep.
  package static let upkeepDelayMax = Duration.milliseconds(200)
  /// Workspace files closed in one turn to make room, about 0.2 ms each.
  package static let filesClosedInTurnMax = 8
  /// Workspace files synced in one turn so that they can be closed.
  package static let filesSyncedInTurnMax = 32
  /// Open files that one call tries again to close, of those that were busy before.
  package static let filesRetriedInCallMax = 4
  /// Tokens written or deleted in one transaction of `relay.db`.
  package static let tokensInTransactionMax = 500
  /// Workspaces whose signs of life are written in one transaction of `relay.db`.
  package static let pulsesInTransactionMax = 500
  /// Workspaces counted in one second as online, offline or unclaimed.
  package static let agentsCountedMax = 2000
  /// Consumers of one workspace that are remembered; beyond that, stale ones are dropped.
  package static let consumersKept = 256
  /// Bytes of a response that is built at once although larger ones wait for their turn.
  package static let smallAnswerBytesMax = 2 * 1024
  /// Pages of the log of `relay.db` at which it is checkpointed: it is written rarely.
  package static let registryPagesMax = 256
  /// A purge that failed is tried again after this time.
  package static let purgeRetry = Duration.seconds(60)

  // MARK: Files and disk
  /// Pages of a log up to which it is not copied when its file is closed: opening reads it again.
  package static let walPagesAtCloseMax = 64
  /// Times that emptying a log is tried when its file is opened.
  package static let walEmptyTriesMax = 3
  /// Free inodes below which no workspace is made: each takes two, and three for a moment.
  package static let inodesMin = 8
  /// Bytes that the high-water mark has at least, or a quarter of the disk if that is less.
  package static let diskHighWaterMin: Int64 = 16 * 1024 * 1024
  /// Bytes that results leave free, so that a full log can be copied into its file.
  package static let diskFloorBytesMax: Int64 = 8 * 1024 * 1024
  /// Bytes that a workspace's file must have free beside a write that is to fit without the disk.
  package static let ownRoomBytesMin = 1024 * 1024
  /// Free pages of a file above which it may be made smaller while the disk is low.
  package static let freePagesLowMax = 256
  /// The disk, the open files and the agents are looked at this often.
  package static let diskCheckEvery = Duration.seconds(1)
  /// Time from a failed write or sync to the end of the process, in which callers are told.
  package static let fatalTime = Duration.seconds(3)
  /// Bytes of the absolute path of a data directory or a backup: SQLite opens paths of up to 512
  /// bytes, and the longest name inside takes 82.
  package static let dataPathBytesMax = 430

  // MARK: Descriptors
  /// Descriptors for the relay itself: listener, poller, registry, log, lock and new files.
  package static let ownDescriptors = 64
  /// Connections that must fit beside the open files; otherwise the relay does not start.
  package static let connectionsMin = 64
  /// Open workspace files that must fit beside the connections.
  package static let openWorkspacesMin = 16

  // MARK: Requests
  /// Polls of named consumers that are remembered; beyond that, finished ones are dropped.
  package static let namedPollsKept = 1024
  /// Characters of `X-Forwarded-For` that the record of a claim keeps.
  package static let forwardedForMax = 200
  /// Characters of a wrong `Host` that its refusal repeats.
  package static let shownHostMax = 100
  /// Paths that the refusal of a mistyped path names.
  package static let suggestedPathsMax = 6
  /// Bytes of a path segment that is compared with those of routes; a longer one is far from all.
  package static let comparedSegmentMax = 32
  /// Most that `--metrics-per-workspace` may ask for: `/metrics` has 5 MB then.
  package static let workspaceSeriesAskedMax = 10_000
  /// Characters of a credential from a file or a variable: a shorter one can be guessed.
  package static let credentialBytesMin = 16
  /// Characters of such a credential: a longer one is the wrong file.
  package static let credentialBytesMax = 512

  // MARK: Backup and check
  /// Workspaces that one turn reads while a backup is planned.
  package static let backupPlannedMax = 200
  /// Messages that one turn counts of a file that was copied.
  package static let backupCountedMax = 500
  /// Bytes that a restore copies or hashes at once.
  package static let copyBytesMax = 1024 * 1024
  /// Findings that `check` prints of one file.
  package static let findingsMax = 20
  /// Bytes of a backup's manifest: 100,000 workspaces need about 30 MB.
  package static let manifestBytesMax = 64 * 1024 * 1024

  // MARK: Commands
  /// Pause between two looks at a job whose end a command waits for.
  package static let jobLookEvery = Duration.milliseconds(500)
  /// Pause between two looks at a backup that a relay makes for a command.
  package static let backupLookEvery = Duration.milliseconds(100)
  /// Pause between two tries to restore a workspace whose messages are still ending.
  package static let restoreRetry = Duration.milliseconds(100)
  /// Descriptors below which `doctor` warns.
  package static let doctorDescriptorsMin = 4096
  /// A sync that takes longer than this is slow even for a disk over a network: `doctor` warns.
  package static let doctorSyncMax = Duration.milliseconds(50)
  /// Pages of workspaces that `doctor` reads.
  package static let doctorPagesMax = 20
  /// A waiting message that is older than this is reported by `doctor`.
  package static let doctorAgeMax = Duration.seconds(3600)
}
