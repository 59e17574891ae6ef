/// Every bound of the relay that is passed as a value. docs/limits.md is made from these comments.
package struct Limits: Sendable {
  // MARK: Requests and connections
  /// Bytes of the request line and header fields; more is 431. Node and nginx take 16 to 32 KiB.
  package var headBytesMax = 32 * 1024
  /// Time from a request's first byte to the end of its head: slow heads are an old attack.
  package var headTime = Duration.seconds(10)
  /// Bytes of one request body; more is 413. Files inside an A2A message are base64.
  package var bodyBytesMax = 10 * 1024 * 1024
  /// Time from the end of the head to the end of the body; 10 MiB need 90 KiB/s.
  package var bodyTime = Duration.seconds(120)
  /// Bytes of one request body that comes without a credential; more is 413.
  package var anonymousBodyBytesMax = 1024 * 1024
  /// Time for such a body: it occupies room that all strangers share.
  package var anonymousBodyTime = Duration.seconds(20)
  /// Open connections. Each costs about 5 KiB in the kernel and 1 KiB in the relay.
  package var connectionsMax = 50_000
  /// A connection without a request is closed after this time; clients open a new one.
  package var idleTime = Duration.seconds(120)
  /// A peer that takes no byte of its response for this long is cut off. A message that was on its
  /// way to it goes back to the queue.
  package var writeTime = Duration.seconds(30)

  // MARK: Memory
  /// Bytes of all requests and responses in memory; more is refused with `memory_full`.
  package var bodiesInMemoryMax = 256 * 1024 * 1024
  /// Share of `bodiesInMemoryMax` for the responses that one credential does not read.
  package var unreadSharePercent = 25
  /// Share of `bodiesInMemoryMax` for the bodies that one credential is sending.
  package var bodySharePercent = 25
  /// Share of `bodiesInMemoryMax` for all requests without a credential together.
  package var anonymousSharePercent = 25
  /// Share of `bodiesInMemoryMax` for incomplete heads and for requests sent ahead of their turn.
  package var headSharePercent = 25
  /// Share of the free part of `bodiesInMemoryMax` for one org. At 100 one org can take half of the
  /// memory, two orgs a third each, and the next org always finds room.
  package var orgSharePercent = 100
  /// Bytes by which memory in use must fall before free memory is returned to the system; it must
  /// also fall by half, and it is returned at most once a second.
  package var memoryKeptMax = 16 * 1024 * 1024
  /// Bytes of requests and results kept for the next delivery; others are read from the file.
  package var cacheBytesMax = 64 * 1024 * 1024

  // MARK: Messages and tasks
  /// Members and elements in the JSON of one message, result or batch: the loop visits each. Send
  /// larger tables as one string or as a file part.
  package var messageValuesMax = 100_000
  /// Members and elements in the JSON of every other body: cards, settings, lists of ids.
  package var bodyValuesMax = 10_000
  /// Messages of one task; all are read to show it. Open another task in the same context.
  package var taskMessagesMax = 1000
  /// A message without an answer expires after this time: an agent may be off over a long weekend.
  package var timeToLive = Duration.seconds(7 * 86400)
  /// Late results of one message that the timeline keeps and shows. Later ones get the same
  /// response but are not recorded.
  package var lateResultsMax = 16
  /// Bytes of a late result's body that the timeline keeps.
  package var lateBodyBytesMax = 64 * 1024
  /// Bytes of the name of a workspace or consumer: it is shown on one line.
  package var nameBytesMax = 200
  /// An `Idempotency-Key` stands for its first call for this long.
  package var idempotencyWindow = Duration.seconds(86400)
  /// Bytes of an `Idempotency-Key`, without its quotes.
  package var idempotencyKeyBytesMax = 255

  // MARK: Responses
  /// Bytes of messages and results in one response with a Task. Of a larger task the newest turns
  /// are shown, and always the last.
  package var taskShownBytesMax = 32 * 1024 * 1024
  /// Bytes that a part counts for where the bytes of responses are bounded: translating it costs as
  /// much as copying so many.
  package var partCostBytes = 2048
  /// Bytes of large responses built in one turn, about 20 ms; others wait for the next turn.
  package var turnAnswerBytesMax = 4 * 1024 * 1024
  /// Bytes of bodies above 64 KiB stored in every other turn, but at least one body.
  package var turnBodyBytesMax = 1024 * 1024
  /// Remembered answers of a workspace to itself: an answer that is sent again makes no new
  /// message. After a restart they are found among the newest `listRowsMax` messages.
  package var ownAnswersKept = 64

  // MARK: Queue
  /// Messages of one workspace that are unanswered, unreceived or dead; more is `queue_full`.
  package var queueMessagesMax = 10_000
  /// Bytes of the requests of the same messages, on disk.
  package var queueBytesMax = 256 * 1024 * 1024
  /// Share of a queue that one caller may fill: the others must find room.
  package var callerSharePercent = 25
  /// Tasks of one workspace that wait for input or authorization; all are in memory. More is
  /// `queue_full` for calls that open a task; results and calls to open tasks are accepted.
  package var interruptedTasksMax = 10_000
  /// Dead messages counted when a file is opened; of more, this number is shown.
  package var deadCountMax = 100_000
  /// Deliveries that may fail before a message is dead.
  package var attempts = 5
  /// Successive deliveries without a sign of the agent; the last counts as an attempt. A message
  /// that crashes its agent is dead after `attempts` × `offersInARow` deliveries.
  package var offersInARow = 3
  /// Lease tokens of one message in memory; older ones are looked up in the file.
  package var fencesKept = 32
  /// First wait after a lost lease or a release; it doubles each time, with jitter.
  package var backOffFirst = Duration.seconds(1)
  /// Longest such wait: a repaired agent gets its work within minutes.
  package var backOffMax = Duration.seconds(300)
  /// Longest delay that a release may ask for; use an answer for longer waits.
  package var releaseDelayMax = Duration.seconds(3600)

  // MARK: Polls, leases and held callers
  /// Longest wait of a poll: proxies cut idle requests at 60 s.
  package var pollWaitMax = Duration.seconds(55)
  /// Wait of a poll that asks for none: the strictest proxies cut at 30 s.
  package var pollWaitDefault = Duration.seconds(25)
  /// Messages in one poll response, and operations in one batch: one transaction stays short.
  package var batchMax = 128
  /// Bytes of bodies in one poll response; one larger message still goes, alone.
  package var pollBytesMax = 8 * 1024 * 1024
  /// Waiting polls of one workspace; more is an agent's loop gone wild.
  package var parkedPollsMax = 1024
  /// An offer that the agent does not claim within this time returns to the head of the queue.
  package var offer = Duration.seconds(10)
  /// Lease of a poll that asks for none: most work fits, and lost work is retried within the hour.
  package var lease = Duration.seconds(300)
  /// Longest lease that a poll or an extension may ask for; extend again for longer work.
  package var leaseMax = Duration.seconds(3600)
  /// Longest time for which heartbeats alone keep a lease given without `confirm`: a process can
  /// live on while its work is lost.
  package var heartbeatLeaseMax = Duration.seconds(900)
  /// Time beyond its `Retry-After` for which a result refused by a full disk keeps its lease.
  package var refusedLeaseMargin = Duration.seconds(30)
  /// Time for which a caller is held; Node's fetch and most proxies give up at 300 s.
  package var hold = Duration.seconds(290)
  /// Longest hold that a caller may ask for with `Prefer: wait=N`.
  package var holdMax = Duration.seconds(300)
  /// Time for which a caller of the platform's entrance is held: its clients give up at 30 s.
  package var platformHold = Duration.seconds(20)
  /// A held JSON-RPC caller gets white space this often: Python's default time-out is 5 s.
  package var keepAlive = Duration.seconds(3)
  /// An agent that shows no sign of life for this long is offline: three heartbeats of 30 s.
  package var offlineAfter = Duration.seconds(90)
  /// An agent is present for this long after a poll ends: time to work and poll again.
  package var presentAfterPoll = Duration.seconds(10)
  /// Delivered messages wait this long after a restart: agents come back with their leases.
  package var restartGrace = Duration.seconds(30)

  // MARK: Commits and the barrier
  /// Longest delay of a write that nobody waits for, such as a receipt.
  package var deferredWriteMax = Duration.seconds(1)
  /// Writes of a transaction that is committed at once, even while the barrier works; smaller ones
  /// wait for company.
  package var commitWritesMin = 64
  /// Bytes of bodies of a transaction that is committed at once.
  package var commitBytesMin = 256 * 1024
  /// Longest wait of a smaller transaction for the barrier to finish.
  package var commitWaitMax = Duration.milliseconds(1)
  /// A single operation is synced on the loop if a sync is expected to take at most this long: two
  /// changes of thread cost as much.
  package var loopSyncMax = Duration.microseconds(300)
  /// Bytes of bodies in a commit round above which it is never synced on the loop.
  package var loopSyncBytesMax = 64 * 1024
  /// Writes of one workspace in one transaction; the rest goes into a further one.
  package var roundOperationsMax = 512
  /// Bytes of bodies of one workspace in one transaction.
  package var roundBytesMax = 4 * 1024 * 1024
  /// Timers that find a write under way look again after this time: a barrier or two.
  package var pendingRetry = Duration.milliseconds(20)
  /// How far a file is durable is recorded in a second file at most this often. If the file is lost
  /// while the relay is off, the relay notices what is older.
  package var progressInterval = Duration.seconds(1)
  /// The relay tries again after this time if the disk refused to record that a file is in use.
  package var markRetry = Duration.seconds(1)

  // MARK: Write-ahead logs
  /// Pages of a log at which it is checkpointed when nothing else waits: a stall of 10 ms.
  package var walPagesIdle = 1_000
  /// Pages of a log at which it is always checkpointed, before the stall grows.
  package var walPagesBusy = 2_000
  /// Pages of a log above which its workspace refuses calls: its checkpoints do not get through.
  package var walPagesMax = 16_000
  /// A log that has not grown for this long is emptied: deleted content leaves the disk. That of
  /// `relay.db` is emptied this long after a deletion in it.
  package var walIdle = Duration.seconds(60)
  /// The log of a workspace that is never idle is emptied this long after a deletion in it.
  package var walErasedMax = Duration.seconds(600)

  // MARK: Open files
  /// Workspace files open at once; one more closes the one unused for longest. Each takes 3
  /// descriptors and 0.1 to 0.3 MiB. The default is cut to what RLIMIT_NOFILE allows.
  package var openWorkspacesMax = 2048
  /// Messages that a workspace with a closed file may keep in memory, for a poll or a lease; with
  /// more, the file stays open.
  package var closedMessagesMax = 256
  /// Workspaces with a closed file whose receipts wait in memory; for more, files are opened. A
  /// crash loses waiting receipts, and equal calls then attach.
  package var receiptsHeldMax = 4096
  /// A waiting receipt has its file opened after this time, at most 50 files a second.
  package var receiptHeldTime = Duration.seconds(60)
  /// Time for which a call waits for a file while all open files are busy; then `too_many_open`.
  package var fileWaitMax = Duration.seconds(2)
  /// Pause between opening two files only because something in them is due: at most 50 a second.
  package var sweepInterval = Duration.milliseconds(20)
  /// Signs of life, and the times at which closed files are due, reach `relay.db` within this time.
  package var pulseInterval = Duration.seconds(60)
  /// Open files compared with their paths in one second, to find deleted or replaced ones.
  package var filesLookedAtMax = 512

  // MARK: Clock
  /// A wall clock that moved by more than this, in either direction, is not believed for a while.
  package var clockJumpMax = Duration.seconds(600)
  /// Nothing expires or is deleted by age for this long then: time to set the clock right.
  package var clockDoubtTime = Duration.seconds(3600)
  /// If the process did not run for longer than this, leases are extended by that time.
  package var standstillMin = Duration.seconds(10)

  // MARK: Workspaces and orgs
  /// Workspaces on one relay: their rows and tokens are in memory.
  package var workspacesMax = 100_000
  /// Workspaces of one org, with removed ones that can be restored; more is `workspaces_full`. Each
  /// takes 80 KiB of disk.
  package var workspacesPerOrgMax = 10_000
  /// Orgs on one relay: they are in memory and are listed at once.
  package var orgsMax = 1000
  /// Workspaces on a path from a root to a leaf: each call between two workspaces may walk it.
  package var hierarchyDepthMax = 32
  /// Workspaces removed with the one above them, in one transaction; remove deeper ones first.
  package var cascadeMax = 500
  /// A removed workspace can be restored for this long: a mistake shows within a week.
  package var removedKeep = Duration.seconds(7 * 86400)
  /// A new workspace can be claimed without a credential for this long: ids may leak later.
  package var claimWindow = Duration.seconds(3600)
  /// Bytes of a registered agent card and its url: clients fetch it often.
  package var cardBytesMax = 256 * 1024
  /// Bytes of the cards and urls of one org, which are in memory; more is `cards_full`.
  package var cardsPerOrgBytesMax = 32 * 1024 * 1024
  /// Bytes of the cards and urls of all workspaces.
  package var cardsBytesMax = 128 * 1024 * 1024
  /// Bytes of cards kept in the form that callers get; beyond that, the oldest are built again.
  package var madeCardsBytesMax = 16 * 1024 * 1024
  /// Bytes of one secret's value: keys and certificates are smaller.
  package var secretBytesMax = 64 * 1024
  /// Bytes of a secret's name, which is shown and logged.
  package var secretKeyBytesMax = 128
  /// Secrets of one workspace, all in one response; more is `secrets_full`.
  package var secretsPerWorkspaceMax = 100
  /// Bytes of all secrets' values on one relay, which are in memory.
  package var secretsInMemoryMax = 64 * 1024 * 1024

  // MARK: Credentials and the audit
  /// Live tokens of one workspace, and live keys of one org; more is `tokens_full`. Revoked and
  /// expired ones do not count.
  package var tokensPerWorkspaceMax = 50
  /// Listed revoked and expired tokens of a workspace, or keys of an org; the oldest are dropped.
  package var deadTokensMax = 50
  /// A revoked or expired token is listed for this long: time to find out what it was used for.
  package var deadTokenKept = Duration.seconds(30 * 86400)
  /// Tokens of purged workspaces kept for `deadTokenKept`: their agents get 410, others 401.
  package var purgedTokensMax = 10_000
  /// Old tokens work for this long after a rotation that names no grace.
  package var rotationGrace = Duration.seconds(86400)
  /// Longest grace that a rotation may ask for.
  package var rotationGraceMax = Duration.seconds(30 * 86400)
  /// Longest life of a token that is given an end.
  package var tokenLifeMax = Duration.seconds(3650 * 86400)
  /// Times of last use reach the disk this often, in one batch.
  package var tokenUseWrite = Duration.seconds(60)
  /// A revocation that the disk refused holds in memory, and is written again after this time; so
  /// are lines of the audit that nobody waits for.
  package var revocationRetry = Duration.seconds(5)
  /// Lines of the audit are deleted after this time: a year is what auditors ask for.
  package var auditKept = Duration.seconds(365 * 86400)
  /// Lines of the audit, about 20 MB; beyond that, the oldest are deleted.
  package var auditEntriesMax = 100_000
  /// Lines of the audit in memory while the disk refuses them; beyond that, the oldest are lost,
  /// and the log says so.
  package var auditLinesWaitingMax = 1000

  // MARK: Disk
  /// Bytes of the smallest file system on which the relay starts.
  package var diskBytesMin: Int64 = 40 * 1024 * 1024
  /// Free bytes below which calls are refused, or 5 % of the disk if that is less: results must
  /// still fit. Set it with `--disk-high-water`.
  package var diskHighWater: Int64 = 256 * 1024 * 1024
  /// Bytes of each reserve, for results and for deletion; at most a sixteenth of the disk.
  package var diskReserveBytes: Int64 = 32 * 1024 * 1024
  /// Share of the room for results that one workspace may use while the disk is low.
  package var lowDiskSharePercent = 50
  /// Free pages of an idle workspace's file above which the file is made smaller.
  package var freePagesMax = 16_384
  /// Pages in use up to which a file is made smaller: writing them again takes 10 ms a MiB.
  package var shrinkPagesMax = 2048
  /// The same while the disk is low, when the room is worth a longer stall.
  package var shrinkPagesLowMax = 8192
  /// Bytes by which a file is cut at once: a file system frees a MiB in about 1 ms.
  package var shrinkCutBytes = 16 * 1024 * 1024
  /// An idle file waits this long for a moment in which no caller waits for the barrier.
  package var shrinkPatience = Duration.seconds(60)
  /// Probes of `/ready` within this time share one commit.
  package var probeInterval = Duration.seconds(1)
  /// A probe whose commit is not durable within this time is told that the relay is not ready.
  package var probeTime = Duration.seconds(5)

  // MARK: Retention
  /// Messages that have ended are kept for this long: for replay, and for questions.
  package var retention = Duration.seconds(7 * 86400)
  /// Bytes of a workspace's file beyond its queue; above, received messages are deleted early.
  package var keptBytesMax = 256 * 1024 * 1024
  /// Messages in a workspace's file beyond its queue; above, the same happens.
  package var keptMessagesMax = 1_000_000
  /// Bytes above `keptBytesMax` for ended messages that nobody has received, which are never
  /// deleted early; above that, calls are refused with `queue_full`.
  package var unreadBytesMax = 8 * 1024 * 1024 * 1024
  /// Messages above `keptMessagesMax` that nobody has received; above that, the same happens.
  package var unreadMessagesMax = 4_000_000
  /// Messages that one step of retention visits, and rows it deletes: senders wait meanwhile.
  package var retentionRowsMax = 250
  /// Bytes of bodies that one step of retention deletes; one larger message still goes, alone.
  package var retentionBytesMax = 1024 * 1024
  /// Pause between two steps of retention while callers wait for the barrier.
  package var retentionPause = Duration.milliseconds(5)
  /// Pause between two passes over a workspace; longer if less than half a step comes due, or if
  /// the pass was slow.
  package var retentionEvery = Duration.seconds(1)
  /// A file that is too large, with nothing to delete early, is visited again after this time.
  package var retentionRetry = Duration.seconds(60)
  /// Deletion by size starts again at the beginning of the file after this time.
  package var retentionRestart = Duration.seconds(600)

  // MARK: Lists, jobs and metrics
  /// Rows on a page of an operator's list, and in a step of a job: everybody else waits.
  package var listRowsMax = 500
  /// Open workspaces shown singly on `/metrics`. Set it with `--metrics-per-workspace`.
  package var workspaceSeriesMax = 0
  /// Messages per second of a job that asks for no rate: do not flood an agent that has failed.
  package var jobRate = 100
  /// Messages per second that a job may ask for.
  package var jobRateMax = 10_000
  /// Pause between two steps of a job: live traffic comes between.
  package var jobStep = Duration.milliseconds(10)
  /// Messages that one step of a job moves, in one transaction.
  package var jobStepMessagesMax = 100
  /// Bytes of bodies in one step of a job; one larger message still goes, alone.
  package var jobStepBytesMax = 1024 * 1024
  /// A job that was refused, or finds the queue full, tries again after this time.
  package var jobRetry = Duration.seconds(1)
  /// Messages that a job may name by id; name more by state and time.
  package var jobIDsMax = 500
  /// Running jobs of one workspace, with dry runs and jobs that still count; more is `jobs_full`.
  package var jobsRunningMax = 8
  /// Ended jobs of one workspace that can be asked for.
  package var jobsKept = 100

  // MARK: Backup and commands
  /// Bytes that one turn of the loop copies or hashes for a backup, about 1 ms.
  package var backupSliceBytes = 256 * 1024
  /// Pause between two such turns: the loop is free for everybody else.
  package var backupPause = Duration.milliseconds(5)
  /// Bytes of a backup written before they are synced: more would delay the relay's own syncs.
  package var backupSyncBytes = 4 * 1024 * 1024
  /// Copies of one file that are begun again because the file was closed meanwhile.
  package var backupRestartsMax = 16
  /// Bytes of the manifest of an exported workspace, which is read in one turn.
  package var importManifestBytesMax = 64 * 1024
  /// Bytes of the registry in such an export: a card, tokens, and 6 MiB of secrets at most.
  package var importRegistryBytesMax = 16 * 1024 * 1024
  /// Time for which a command waits for the relay to accept its connection.
  package var commandConnectTime = Duration.seconds(5)
  /// Time for which a command waits for the next bytes of a response.
  package var commandAnswerTime = Duration.seconds(60)
  /// Bytes of a response that a command reads; lists come in smaller pages.
  package var commandAnswerBytesMax = 64 * 1024 * 1024
  /// Time for which `a2a-relay health` waits for the next bytes of a response.
  package var healthTime = Duration.seconds(5)

  // MARK: Process and log
  /// Time from SIGTERM to the end of the process: `docker stop` kills after 10 s.
  package var shutdownTime = Duration.seconds(8)
  /// Time from SIGTERM until requests that are still arriving are cut off.
  package var shutdownRequestTime = Duration.seconds(3)
  /// Bytes of log lines that wait while nobody reads standard error; later lines are dropped.
  package var logBufferBytesMax = 256 * 1024
  /// Time for which the end of the process waits for the last log lines to be read.
  package var logFlushTime = Duration.milliseconds(500)
  /// Pause between two tries to log how many lines were lost.
  package var logRetry = Duration.seconds(5)
  /// A log line that a failing turn repeats is written once in this time, with a count.
  package var repeatedLineEvery = Duration.seconds(60)

  package init() {}
}
