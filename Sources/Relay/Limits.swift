/// Every bound of the relay, in one place. Units are in the names or the types.
package struct Limits: Sendable {
  /// Bytes of request line and header fields; more is 431. Node and nginx take 16–32 KiB.
  package var headBytesMax = 32 * 1024
  /// Bytes of one request body; more is 413. A2A files come base64-encoded in messages.
  package var bodyBytesMax = 10 * 1024 * 1024
  /// Bytes of all bodies in memory at once, requests and answers; what does not fit is 503.
  package var bodiesInMemoryMax = 256 * 1024 * 1024
  /// The share of it that one credential may hold with answers that it does not read, in percent.
  package var unreadSharePercent = 25
  /// Percent of it that one credential may hold with bodies that it is sending.
  package var bodySharePercent = 25
  /// The share of it for everybody without a credential together, in percent.
  package var anonymousSharePercent = 25
  /// What the credentials of one org may hold together, in percent of what nobody holds.
  package var orgSharePercent = 100
  /// The share of it for all heads that are not whole, and for what comes behind a request, in
  /// percent.
  package var headSharePercent = 25
  /// Bytes that the memory in use must have fallen by until what is free goes back to the system.
  package var memoryKeptMax = 16 * 1024 * 1024
  /// Bytes of one request body without a credential; more is 413.
  package var anonymousBodyBytesMax = 1024 * 1024
  /// Members and elements in the JSON of one message, result or batch.
  package var messageValuesMax = 100_000
  /// Parts of one message, and of one result with all its artifacts; artifacts of one result.
  package var partsMax = 4096
  /// Bytes that a part counts as where the bytes of answers are bounded: to bring it into the
  /// reader's dialect takes so much longer than to copy it.
  package var partCostBytes = 2048
  /// Bytes of a Task's messages and results that one answer is made of; older turns are left out.
  package var taskShownBytesMax = 32 * 1024 * 1024
  /// Bytes of messages in a Task's history; older ones are left out.
  package var historyBytesMax = 16 * 1024 * 1024
  /// Messages of one task.
  package var taskMessagesMax = 1000
  /// Members and elements in the JSON of every other body: cards, settings, lists of ids.
  package var bodyValuesMax = 10_000
  /// From the head until such a body is whole.
  package var anonymousBodyTime = Duration.seconds(20)
  /// Bytes of large answers made in one turn of the loop; the rest waits for the next ones.
  package var turnAnswerBytesMax = 4 * 1024 * 1024
  /// Bytes of large bodies handed over in every other turn of the loop, but at least one body.
  package var turnBodyBytesMax = 1024 * 1024
  /// The longest wait of a poll. Proxies cut idle requests at 60 s.
  package var pollWaitMax = Duration.seconds(55)
  /// The wait of a poll that names none.
  package var pollWaitDefault = Duration.seconds(25)
  /// Messages in one poll answer, and operations in one batch call.
  package var batchMax = 128
  /// Bytes of bodies in one poll answer; a single larger message still goes, alone.
  package var pollBytesMax = 8 * 1024 * 1024
  /// Polls parked on one workspace at once; agents are few.
  package var parkedPollsMax = 1024
  /// Messages of one workspace that are unanswered, unreceived or dead; more is QUEUE_FULL.
  package var queueMessagesMax = 10_000
  /// Bytes of the same messages.
  package var queueBytesMax = 256 * 1024 * 1024
  /// The share of a queue that one caller may fill, in percent.
  package var callerSharePercent = 25
  /// Open tasks of one workspace that wait for input or authorization, for up to seven days; more
  /// is QUEUE_FULL for sends that open a further one.
  package var interruptedTasksMax = 10_000
  /// Connections open at once; a connection costs about 5 KiB in the kernel and 1 KiB here.
  package var connectionsMax = 50_000
  /// How long a caller is held; less than the 300 s of Node's fetch and of proxies in front.
  package var hold = Duration.seconds(290)
  /// The longest hold that a caller may ask for with `Prefer: wait=N`.
  package var holdMax = Duration.seconds(300)
  /// An offer that is not claimed by then goes back to the head.
  package var offer = Duration.seconds(10)
  /// The lease of a poll that names none.
  package var lease = Duration.seconds(300)
  /// The longest lease that a poll or an extend may ask for.
  package var leaseMax = Duration.seconds(3600)
  /// A result that the disk has refused keeps its lease for so long after the `Retry-After` told.
  package var refusedLeaseMargin = Duration.seconds(30)
  /// The longest that heartbeats alone can stretch a lease given without `confirm`.
  package var heartbeatLeaseMax = Duration.seconds(900)
  /// Hand-outs that may fail before a message is dead.
  package var attempts = 5
  /// Hand-outs in a row that no agent touches (an unclaimed offer, a lost connection, a consumer
  /// that polls again); the last one counts as an attempt.
  package var offersInARow = 3
  /// Fences of one message that are kept in memory; an older one is looked up in the file.
  package var fencesKept = 32
  /// The first back-off after a lost lease or a release; doubled each time, with jitter.
  package var backOffFirst = Duration.seconds(1)
  package var backOffMax = Duration.seconds(300)
  /// The longest delay that a release may ask for.
  package var releaseDelayMax = Duration.seconds(3600)
  /// A message that is not answered by then is expired.
  package var timeToLive = Duration.seconds(7 * 86400)
  /// An agent without a sign of life for this long is offline.
  package var offlineAfter = Duration.seconds(90)
  /// An agent is present for this long after its last poll has ended.
  package var presentAfterPoll = Duration.seconds(10)
  /// White space goes to a held JSON-RPC caller this often: Python's default time-out is 5 s.
  package var keepAlive = Duration.seconds(3)
  /// After a restart, handed-out messages are not offered again before this has passed.
  package var restartGrace = Duration.seconds(30)
  /// Receipts and other writes nobody waits for reach the file within this.
  package var lazyWriteMax = Duration.seconds(1)
  /// Free bytes on the file system below which sends are refused (or 5 %, the smaller).
  package var diskHighWater: Int64 = 256 * 1024 * 1024
  /// Writes of a transaction that is committed at once even while a barrier is at work.
  package var commitWritesMin = 64
  /// Bytes of bodies of the same.
  package var commitBytesMin = 256 * 1024
  /// The longest that a smaller transaction waits for the barrier at work to end.
  package var commitWaitMax = Duration.milliseconds(1)
  /// Syncs expected to take longer than this never run on the loop.
  package var loopSyncMax = Duration.microseconds(300)
  /// Bytes of bodies in a round above which it is never synced on the loop.
  package var loopSyncBytesMax = 64 * 1024
  /// Pages of a WAL at which it is checkpointed when nothing else waits.
  package var walPagesIdle = 1_000
  /// Pages of a WAL at which it is checkpointed in any case.
  package var walPagesBusy = 2_000
  /// Pages of a WAL above which sends to that workspace are refused.
  package var walPagesMax = 16_000
  /// A WAL that has not grown for this long is emptied.
  package var walIdle = Duration.seconds(60)
  /// A workspace's WAL in which something was deleted is emptied after this, idle or not.
  package var walBlankedMax = Duration.seconds(600)
  /// Workspace files open at once, fewer where RLIMIT_NOFILE has no room for them; each takes 3
  /// descriptors and 0.1 to 0.3 MiB.
  package var openWorkspacesMax = 2048
  /// Messages of a workspace in memory while its file is closed, because of a poll or a lease.
  package var closedMessagesMax = 256
  /// Closed workspaces whose receipts wait in memory for the next use of the file; more, and files
  /// are opened for them.
  package var receiptsHeldMax = 4096
  /// A receipt of a closed file waits for so long until the file is opened only for it.
  package var receiptHeldTime = Duration.seconds(60)
  /// How long a call waits until one of the open files can be closed.
  package var fileWaitMax = Duration.seconds(2)
  /// Between two workspaces that are opened only because something in them is due.
  package var sweepInterval = Duration.milliseconds(20)
  /// Signs of life, and when something comes due, reach relay.db within this.
  package var pulseInterval = Duration.seconds(60)
  /// How far each file is on the disk is noted in another one at most this often: what was stored
  /// longer ago is missed if it is lost while the relay is not running.
  package var progressInterval = Duration.seconds(1)
  /// That a file is in use reaches relay.db again after this, when the disk has refused it.
  package var markRetry = Duration.seconds(1)
  /// A removed workspace's file is kept for this long; until then it can be restored.
  package var removedKeep = Duration.seconds(7 * 86400)
  /// The wall clock is not believed for a while when it was moved by more than this, while the
  /// relay ran or was off.
  package var clockJumpMax = Duration.seconds(600)
  /// For so long nothing ends by it then, over restarts too.
  package var clockDoubtTime = Duration.seconds(3600)
  /// A process that has not run for longer than this makes leases longer by that time.
  package var standstillMin = Duration.seconds(10)
  /// Operations of one workspace in one round.
  package var roundOperationsMax = 512
  /// Bytes of bodies of one workspace in one round.
  package var roundBytesMax = 4 * 1024 * 1024
  /// Bytes of requests that are kept for the hand-out and the answer that follow; the rest is read
  /// back from the file.
  package var cacheBytesMax = 64 * 1024 * 1024
  /// What ends while a write is on its way looks again after this.
  package var pendingRetry = Duration.milliseconds(20)
  /// From the first byte of a request until its head is whole.
  package var headTime = Duration.seconds(10)
  /// From the head until the body is whole; a slow link gets 10 MiB through at 90 KiB/s.
  package var bodyTime = Duration.seconds(120)
  /// A connection without a request is closed after this.
  package var idleTime = Duration.seconds(120)
  /// A peer that takes or acknowledges no bytes of its response for this long is cut off.
  package var writeTime = Duration.seconds(30)
  /// From SIGTERM to the end of the process.
  package var shutdownTime = Duration.seconds(8)
  /// From SIGTERM until requests that are still being received are cut off.
  package var shutdownRequestTime = Duration.seconds(3)
  /// Bytes of a late result's body that the timeline keeps.
  package var lateBodyBytesMax = 64 * 1024
  /// Late results of one message that are noted, and whose bodies one timeline shows.
  package var lateResultsMax = 16
  /// Bytes of a registered agent card.
  package var cardBytesMax = 256 * 1024
  /// Bytes of the cards, and urls, of all workspaces of one org: they are in memory.
  package var cardsPerOrgBytesMax = 32 * 1024 * 1024
  /// The same of all workspaces.
  package var cardsBytesMax = 128 * 1024 * 1024
  /// Bytes of cards in the form that callers get, which are kept for the next one who asks.
  package var madeCardsBytesMax = 16 * 1024 * 1024
  /// Bytes of a workspace's or consumer's name.
  package var nameBytesMax = 200
  /// Live tokens of one workspace, and live keys of one org; revoked and expired ones do not count.
  package var tokensPerWorkspaceMax = 50
  /// Dead tokens of one workspace, or keys of one org, that are still listed; the oldest go first.
  package var deadTokensMax = 50
  /// For how long a dead token is listed at most.
  package var deadTokenKept = Duration.seconds(30 * 86400)
  /// Tokens of purged workspaces that are remembered for so long, so that their agents are told.
  package var purgedTokensMax = 10_000
  /// How long the older tokens still count after a rotation that says nothing else.
  package var rotationGrace = Duration.seconds(86400)
  /// The longest grace that a rotation may ask for.
  package var rotationGraceMax = Duration.seconds(30 * 86400)
  /// The longest life that a token with an end may be given.
  package var tokenLifeMax = Duration.seconds(3650 * 86400)
  /// The times of last use are written this often, all in one batch.
  package var tokenUseWrite = Duration.seconds(60)
  /// A revocation that the disk refused is tried again after this.
  package var revocationRetry = Duration.seconds(5)
  /// A line of the audit is deleted after this.
  package var auditKept = Duration.seconds(365 * 86400)
  /// Lines of the audit; of more the oldest go.
  package var auditEntriesMax = 100_000
  /// Lines of the audit in memory while the disk refuses them; of more the oldest go.
  package var auditLinesWaitingMax = 1000
  /// From its making until a workspace can no more be claimed without a bearer.
  package var claimWindow = Duration.seconds(3600)
  /// Orgs on one relay.
  package var orgsMax = 1000
  /// Workspaces on a path from a root of the hierarchy to a leaf.
  package var hierarchyDepthMax = 32
  /// Workspaces below one that are removed together with it: one transaction, in one turn.
  package var cascadeMax = 500
  /// Bytes of one secret's value; keys and certificates are smaller.
  package var secretBytesMax = 64 * 1024
  /// Characters of a credential that is read from a file or from the environment.
  package var credentialBytesMin = 16
  package var credentialBytesMax = 512
  /// Bytes of a secret's name.
  package var secretKeyBytesMax = 128
  /// Secrets of one workspace.
  package var secretsPerWorkspaceMax = 100
  /// Bytes of all secrets' values on one relay: they are in memory.
  package var secretsInMemoryMax = 64 * 1024 * 1024
  /// How long a caller at the platform's way in is held by itself: its clients give up at 30 s.
  package var platformHold = Duration.seconds(20)
  /// Answers of a workspace to itself that are remembered, so that one sent again is known.
  package var ownAnswersKept = 64
  /// Bytes of the smallest file system that the relay starts on.
  package var diskBytesMin: Int64 = 40 * 1024 * 1024
  /// Bytes of each of the two reserves for a full disk (or a sixteenth of it, the smaller).
  package var diskReserveBytes: Int64 = 32 * 1024 * 1024
  /// Percent of the room for results that one workspace may use while the disk is low.
  package var lowDiskSharePercent = 50
  /// A log line that a failing turn repeats is written once in this time.
  package var repeatedLineEvery = Duration.seconds(60)
  /// Open files that are compared with their paths in one second.
  package var filesLookedAtMax = 512
  /// Workspaces on one relay.
  package var workspacesMax = 100_000
  /// Workspaces of one org, removed ones included that can be restored.
  package var workspacesPerOrgMax = 10_000
  /// Probes of `/ready` that come within this share one commit.
  package var probeInterval = Duration.seconds(1)
  /// A probe whose commit is not durable by then is told that the relay is not ready.
  package var probeTime = Duration.seconds(5)
  /// Open workspaces that `/metrics` shows one by one; each makes four series.
  package var workspaceSeriesMax = 0
  /// Rows that an operator's list reads for one page, and a job for one step.
  package var listRowsMax = 500
  /// Messages per second of a job that names no rate.
  package var jobRate = 100
  /// Messages per second that a job may be asked for.
  package var jobRateMax = 10_000
  /// A job makes no step sooner after the last one.
  package var jobStep = Duration.milliseconds(10)
  /// Messages that one step of a job moves.
  package var jobStepMessagesMax = 100
  /// Bytes of bodies in one step of a job; a single larger message still goes, alone.
  package var jobStepBytesMax = 1024 * 1024
  /// A job whose step was refused, or finds no room in the queue, tries again after this.
  package var jobRetry = Duration.seconds(1)
  /// Messages that a job may be given by their ids.
  package var jobIDsMax = 500
  /// Jobs of one workspace that run at once.
  package var jobsRunningMax = 8
  /// Jobs of one workspace that can be asked for after their end.
  package var jobsKept = 100
  /// Bytes of a backup's manifest that a command reads: of 100,000 workspaces it has about 30 MB.
  package var manifestBytesMax = 64 * 1024 * 1024
  /// Bytes of the manifest of an exported workspace, which a relay at work reads in one turn.
  package var importManifestBytesMax = 64 * 1024
  /// Bytes of the registry in such an export: a card, tokens, and secrets of about 6 MiB at most.
  package var importRegistryBytesMax = 16 * 1024 * 1024
  /// Bytes that one turn of the loop copies or hashes for a backup.
  package var backupSliceBytes = 256 * 1024
  /// From one such turn to the next, so that the loop is free for everybody else in between.
  package var backupPause = Duration.milliseconds(5)
  /// Bytes of a backup that are written before they are synced.
  package var backupSyncBytes = 4 * 1024 * 1024
  /// How often the copy of one file is begun anew because the file was closed.
  package var backupRestartsMax = 16
  /// Bytes of the data directory's path, or a backup's, behind symbolic links.
  package var dataPathBytesMax = 430
  /// The longest that a command waits until the relay takes its connection.
  package var commandConnectTime = Duration.seconds(5)
  /// The longest that a command waits for the next bytes of an answer.
  package var commandAnswerTime = Duration.seconds(60)
  /// Bytes of an answer that a command reads.
  package var commandAnswerBytesMax = 64 * 1024 * 1024
  /// The longest that `a2a-relay health` waits for the next bytes of an answer.
  package var healthTime = Duration.seconds(5)
  /// Bytes of log lines that wait while nobody reads standard error; later lines are dropped.
  package var logBufferBytesMax = 256 * 1024
  /// How long the end of the process waits for the last lines of the log to be read.
  package var logFlushTime = Duration.milliseconds(500)
  /// From one try to say how many lines of the log were lost to the next.
  package var logRetry = Duration.seconds(5)
  /// Dead messages that are counted when a workspace's file is opened.
  package var deadCountMax = 100_000
  /// Messages of one task that a Task's history shows.
  package var historyMax = 100
  /// Ended messages are kept for so long, for replay and for people.
  package var retention = Duration.seconds(7 * 86400)
  /// Bytes of one workspace's file beyond its queue; more, and received messages go earlier.
  package var keptBytesMax = 256 * 1024 * 1024
  /// Messages that one workspace's file keeps beyond its queue.
  package var keptMessagesMax = 1_000_000
  /// The same of ends that nobody has read, which do not go earlier; more, and sends are refused.
  package var unreadBytesMax = 8 * 1024 * 1024 * 1024
  package var unreadMessagesMax = 4_000_000
  /// Messages that one round of retention looks at, and rows of theirs that it deletes.
  package var retentionRowsMax = 250
  /// Bytes that one round of retention deletes; a single larger message still goes, alone.
  package var retentionBytesMax = 1024 * 1024
  /// From one round of retention to the next while the relay has other work.
  package var retentionPause = Duration.milliseconds(5)
  /// From one look through a workspace to the next, if less than half a round comes due meanwhile.
  package var retentionEvery = Duration.seconds(1)
  /// From one look for messages to delete by size, which did not find enough, to the next.
  package var retentionRetry = Duration.seconds(60)
  /// By size a file is looked through from its beginning again after this.
  package var retentionRestart = Duration.seconds(600)
  /// Free pages of a file above which an idle workspace's file is made smaller.
  package var freePagesMax = 16_384
  /// Pages in use up to which that is done: they are written once more, at one go.
  package var shrinkPagesMax = 2048
  /// The same while the disk is low, when the room is worth a longer stop.
  package var shrinkPagesLowMax = 8192
  /// Bytes by which a file is cut at once.
  package var shrinkCutBytes = 16 * 1024 * 1024
  /// For so long an idle file waits for a moment in which no caller waits for a barrier.
  package var shrinkPatience = Duration.seconds(60)
  /// An `Idempotency-Key` means its call for so long.
  package var idempotencyWindow = Duration.seconds(86400)
  /// Bytes of an `Idempotency-Key`.
  package var idempotencyKeyBytesMax = 255

  package init() {}
}
