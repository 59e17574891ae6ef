package import Relay
package import Wire

/// The content of a reply. The engine says what happened; the API module renders it as JSON and
/// HTTP.
package indirect enum ReplyContent: Sendable {
  /// An error of the error table.
  case error(RelayError, detail: String? = nil, facts: ErrorFacts = .none)
  /// An A2A error for a JSON-RPC caller.
  case rpcError(A2AError)

  // MARK: callers

  /// The Task that a caller asked for or cancelled.
  case task(TaskView)
  /// The Task of a sent message; at the platform's way in with the members that its clients read.
  case sent(TaskView, PlatformAnswer?)
  /// A message with its Task.
  case message(MessageFacts, TaskView)
  /// A message in the platform's form.
  case queueItem(QueueItem)
  case noQueueItem
  case queueItemGone

  // MARK: agents

  /// The end of a poll's wait without messages. `retryAfterSeconds`: the agent should poll again
  /// after this time.
  case noMessages(retryAfterSeconds: UInt64?)
  case messages([Delivery])
  case leased(seconds: Int64)
  case released
  case accepted(isLate: Bool)
  /// The result was accepted before.
  case duplicate
  case batch(results: [Reply], poll: Reply?)
  /// The heartbeat was accepted.
  case alive

  // MARK: operators

  case cancelled(MessageID)
  case redriven(MessageID)
  case replayed(MessageID, as: MessageID)
  /// A page of messages. `next`: the number after which the next page starts.
  case messageList([MessageFacts], next: Seq?)
  case timeline(TimelineFacts)
  case tombstone(MessageID, WorkspaceID, Tombstone)
  case queueStatus(QueueStatus)
  case dryRun(matched: Int, standings: [MessageStanding: Int])
  case jobStarted(JobRow)
  case job(JobRow)
  case jobs([JobRow])
  case readiness(Readiness)
  case backupStarted(job: String, folder: String)
  case imported(WorkspaceID, messages: Int64)

  // MARK: the registry

  case workspaceCreated(RegisteredWorkspace)
  case workspace(RegisteredWorkspace, lastSeen: WallTime?)
  case registered(RegisteredWorkspace, secret: String?, wantsPush: Bool)
  case cardUpdated
  case paused(Bool, refusesSends: Bool)
  case removed(RegisteredWorkspace, below: Int, at: WallTime)
  case purged(RegisteredWorkspace, below: Int)
  case tokenMinted(RegisteredToken, WorkspaceID, secret: String)
  case keyMinted(RegisteredToken, secret: String)
  case tokenRevoked(fingerprint: String)
  case tokensRevoked(count: Int)
  case org(RegisteredOrg)
  case secretSaved(key: String)
  case secretDeleted(key: String)
  /// The names and values of secrets, for the workspace's agent. `isWrapped`: they are in a member
  /// of their own.
  case secrets([String: RegisteredSecret], isWrapped: Bool)
  /// A page of audit lines. `hasMore`: the audit has older lines than those of the page.
  case audit([AuditEntry], hasMore: Bool)
}

/// The facts that an error response shows beside its text.
package enum ErrorFacts: Sendable {
  case none
  /// The reason why the message of a lease has ended.
  case ended(EndReason)
  /// The message of a lease was deleted.
  case deleted(isPurged: Bool)
  /// The limit that the queue, or the caller's share of it, has reached.
  case full(QueueRefusal)
  /// A removal is not durable yet.
  case removing
  /// The agent's workspace is removed.
  case agentEnded(WorkspaceID, at: WallTime)
  /// The workspaces below one whose removal needs confirmation. `atMost`: the number of them that
  /// are named.
  case confirmation([WorkspaceID], atMost: Int)
}

extension ReplyContent {
  /// The approximate size of the response in bytes, for the account of the memory.
  var bytes: Int {
    switch self {
    case .task(let view), .sent(let view, _), .message(_, let view): view.answerBytes
    case .queueItem(let item): Self.rowBytes + (item.response?.answerBytes ?? 0)
    case .messages(let deliveries):
      deliveries.reduce(0) { $0 + Self.deliveryBytes + $1.head.count + $1.body.count }
    case .batch(let results, let poll):
      (results + (poll.map { [$0] } ?? [])).reduce(0) { $0 + $1.content.bytes }
    case .messageList(let rows, _): rows.count * Self.rowBytes
    case .timeline(let timeline): timeline.bytes
    case .secrets(let secrets, _):
      secrets.values.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 8 }
    case .jobs(let rows): rows.count * Self.rowBytes
    default: Self.rowBytes
    }
  }

  /// The approximate size of a message's row in a list, in bytes.
  private static let rowBytes = 512
  /// The approximate size of a delivery without its request, in bytes.
  private static let deliveryBytes = 1024
}
