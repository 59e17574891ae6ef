package import Relay
package import Wire

/// What a reply says. The engine says what happened; the API module puts it
/// into JSON and HTTP.
package indirect enum ReplyContent: Sendable {
  /// An error of the one table.
  case error(RelayError, detail: String? = nil, facts: ErrorFacts = .none)
  /// An error of A2A, to a JSON-RPC caller.
  case rpcError(A2AError)

  // MARK: callers

  /// The Task that was asked for, or cancelled.
  case task(TaskView)
  /// The Task of a message that was sent; at the platform's way in with what its clients read.
  case sent(TaskView, PlatformAnswer?)
  /// A message with its Task.
  case message(MessageFacts, TaskView)
  /// A message in the platform's words.
  case queueItem(QueueItem)
  case noQueueItem
  case queueItemGone

  // MARK: agents

  /// A poll's wait is over. `retryAfterSeconds`: it is to come back later than usual.
  case noMessages(retryAfterSeconds: UInt64?)
  case messages([Delivery])
  case leased(seconds: Int64)
  case released
  case accepted(isLate: Bool)
  /// The result was accepted before.
  case duplicate
  case batch(results: [Reply], poll: Reply?)
  /// A heartbeat was taken.
  case alive

  // MARK: operators

  case cancelled(MessageID)
  case redriven(MessageID)
  case replayed(MessageID, as: MessageID)
  /// `next`: the number after which there are more.
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
  /// Names and values, for the workspace's agent. `isWrapped`: in a member of their own.
  case secrets([String: RegisteredSecret], isWrapped: Bool)
  /// `hasMore`: the page ends before the oldest line.
  case audit([AuditEntry], hasMore: Bool)
}

/// What an error says beside its text.
package enum ErrorFacts: Sendable {
  case none
  /// How the message of a lease has ended.
  case ended(EndReason)
  /// The message of a lease was deleted.
  case deleted(isPurged: Bool)
  /// What fills the queue, or the caller's share of it.
  case full(QueueRefusal)
  /// A removal is still on its way.
  case removing
  /// An agent's workspace is removed.
  case agentEnded(WorkspaceID, at: WallTime)
  /// A removal has to be confirmed, because these stand below the workspace. At most so many are
  /// named.
  case confirmation([WorkspaceID], atMost: Int)
}

extension ReplyContent {
  /// About how many bytes the answer takes, for the account of the memory.
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

  /// What a message's row takes in a list, or a little more.
  private static let rowBytes = 512
  /// What a delivery takes beside its request.
  private static let deliveryBytes = 1024
}
