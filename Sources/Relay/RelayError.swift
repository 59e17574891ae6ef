/// Every error that the relay itself defines, in one table. `docs/errors.md` explains each.
///
/// Errors that A2A and HTTP define have their own codes (A2A 1.0 §5.4, RFC 9110).
package enum RelayError: String, Error, Sendable, CaseIterable {
  case badJSON = "bad_json"
  case tooManyValues = "too_many_values"
  case badRequest = "bad_request"
  case badParameter = "bad_parameter"
  case badResult = "bad_result"
  case notAnEnd = "not_an_end"
  case leaseMissing = "lease_missing"
  case unauthorized
  case invalidCaller = "invalid_caller"
  case foreignOrigin = "foreign_origin"
  case wrongHost = "wrong_host"
  case notFound = "not_found"
  case noRoute = "no_route"
  case methodNotAllowed = "method_not_allowed"
  case workspaceExists = "workspace_exists"
  case workspaceRemoved = "workspace_removed"
  case confirmationRequired = "confirmation_required"
  case orgExists = "org_exists"
  case leaseLost = "lease_lost"
  case alreadyAnswered = "already_answered"
  case answeredElsewhere = "answered_elsewhere"
  case closed
  case bodyTooLarge = "body_too_large"
  case contentEncoding = "content_encoding"
  case memoryFull = "memory_full"
  case queueFull = "queue_full"
  case callerShare = "caller_share"
  case pollsFull = "polls_full"
  case workspacesFull = "workspaces_full"
  case cardsFull = "cards_full"
  case tokensFull = "tokens_full"
  case orgsFull = "orgs_full"
  case revocationNotStored = "revocation_not_stored"
  case secretsFull = "secrets_full"
  case tooManyOpen = "too_many_open"
  case diskFull = "disk_full"
  case inodesUsedUp = "inodes_used_up"
  case resultsFull = "results_full"
  case logFull = "log_full"
  case notStored = "not_stored"
  case outcomeUnknown = "outcome_unknown"
  case workspaceUnavailable = "workspace_unavailable"
  case restarting = "relay_restarting"
  case stopping
  case agentOffline = "agent_offline"
  case agentTimeout = "agent_timeout"
  case messageEnded = "message_ended"
  case backupRunning = "backup_running"
  case notImportable = "not_importable"
  case idempotencyConflict = "idempotency_conflict"
  case answerGone = "answer_gone"
  case notDead = "not_dead"
  case notEnded = "not_ended"
  case purged
  case sendsRefused = "sends_refused"
  case jobsFull = "jobs_full"
  case unsupported

  /// The code that programs compare. It never changes.
  package var code: String { rawValue }

  /// The code as A2A's `ErrorInfo.reason` (google.rpc: upper snake case).
  package var reason: String { rawValue.uppercased() }

  package var status: Int {
    switch self {
    case .badJSON, .tooManyValues, .badRequest, .badParameter, .badResult, .notAnEnd,
      .leaseMissing:
      400
    case .unauthorized: 401
    case .invalidCaller, .foreignOrigin: 403
    case .notFound, .noRoute: 404
    case .methodNotAllowed: 405
    case .workspaceExists, .confirmationRequired, .orgExists, .leaseLost, .alreadyAnswered,
      .answeredElsewhere, .closed, .messageEnded, .notDead, .notEnded, .tokensFull, .jobsFull,
      .secretsFull, .cardsFull, .backupRunning,
      .notImportable, .idempotencyConflict:
      409
    case .purged, .workspaceRemoved, .answerGone: 410
    case .bodyTooLarge: 413
    case .contentEncoding: 415
    case .wrongHost: 421
    case .unsupported: 501
    case .memoryFull, .queueFull, .callerShare, .pollsFull, .workspacesFull, .orgsFull,
      .tooManyOpen, .revocationNotStored, .diskFull, .inodesUsedUp,
      .resultsFull, .logFull, .notStored, .outcomeUnknown,
      .workspaceUnavailable, .restarting, .stopping, .agentOffline, .agentTimeout, .sendsRefused:
      503
    }
  }

  /// The code of a JSON-RPC error object: A2A 1.0 §3.3.2 names −32603 for temporary errors.
  package var rpcCode: Int {
    switch self {
    case .badJSON: -32700
    case .badRequest, .tooManyValues, .bodyTooLarge, .contentEncoding: -32600
    case .badParameter, .idempotencyConflict: -32602
    case .unsupported: -32004
    default: -32603
    }
  }

  /// Whether an agent may have the message, which decides if a retry is safe; `nil` if the request
  /// was no send.
  package var delivered: String? {
    switch self {
    // `no` only where it was known that no equal call is stored, or where the message was rolled
    // back or withdrawn. Without the file nobody knows whether this call was stored before.
    case .queueFull, .callerShare, .diskFull, .inodesUsedUp, .resultsFull, .logFull, .notStored,
      .agentOffline, .sendsRefused:
      "no"
    case .memoryFull, .outcomeUnknown, .restarting, .agentTimeout, .tooManyOpen,
      .workspaceUnavailable, .stopping:
      "unknown"
    default: nil
    }
  }

  package var retryAfterSeconds: Int? {
    switch self {
    case .queueFull, .callerShare, .diskFull, .inodesUsedUp, .resultsFull, .agentOffline,
      .agentTimeout, .sendsRefused:
      30
    case .memoryFull, .logFull, .tooManyOpen, .notStored, .outcomeUnknown, .workspaceUnavailable,
      .restarting, .stopping, .pollsFull, .revocationNotStored:
      5
    default: nil
    }
  }

  package var text: String {
    switch self {
    case .badJSON: "the body is not JSON"
    case .tooManyValues:
      "the body's JSON has too many members and elements; allowed are \(Limits().bodyValuesMax), "
        + "in a batch \(Limits().messageValuesMax)"
    case .badRequest: "the request is not understood"
    case .badParameter: "a parameter is out of range"
    case .badResult: "the result is not understood"
    case .notAnEnd:
      "a result ends the work: allowed are completed, failed, rejected, canceled, input-required "
        + "and auth-required"
    case .leaseMissing:
      "the lease token of the entry is missing: header X-Relay-Lease or member \"lease\""
    case .unauthorized: "no valid credential"
    case .invalidCaller: "invalid caller ID"
    case .foreignOrigin:
      "a web page of another origin has sent this, without a credential; send X-Relay-Key or "
        + "Authorization: Bearer, or call from a program"
    case .wrongHost:
      "the request's Host is no name of this relay; allowed are IP addresses, localhost, the host "
        + "of --public-url and names given by --allow-host"
    case .notFound: "there is no such thing, or not for this credential"
    case .noRoute: "there is no such route"
    case .methodNotAllowed: "the route does not take this method"
    case .workspaceExists: "a workspace with this id exists"
    case .workspaceRemoved: "the workspace has been removed"
    case .confirmationRequired: "other workspaces stand below it; nothing was removed"
    case .orgExists: "an org with this id exists"
    case .leaseLost: "the lease has ended or was never given; the message may be with another"
    case .alreadyAnswered: "another result was accepted for this lease"
    case .answeredElsewhere: "the message has been answered under another lease"
    case .closed: "the message has ended; its work is not wanted any more"
    case .bodyTooLarge: "the body is larger than allowed"
    case .contentEncoding:
      "the body is compressed; only identity is taken: send it without Content-Encoding"
    case .memoryFull: "too many bodies are in memory; try again"
    case .queueFull: "the workspace's queue is full; nothing was stored"
    case .callerShare: "this caller has used up its share of the queue; nothing was stored"
    case .pollsFull: "too many polls are parked on this workspace"
    case .workspacesFull:
      "the relay, or the org, has as many workspaces as it allows; purge those that are not used"
    case .cardsFull:
      "the cards of this org, or of all orgs, take as many bytes as the relay allows; register "
        + "smaller ones, or purge workspaces"
    case .tokensFull:
      "there are tokensPerWorkspaceMax live tokens; revoke one, or rotate with grace_seconds 0"
    case .orgsFull: "the relay has as many orgs as it allows"
    case .revocationNotStored:
      "revoked from now on, but that could not be stored: a restart would undo it until the relay, "
        + "which tries again by itself, has stored it"
    case .secretsFull:
      "as many secrets as secretsPerWorkspaceMax or secretsInMemoryMax allow; delete one"
    case .tooManyOpen: "too many workspaces are in use at once; try again"
    case .diskFull: "the disk is nearly full; nothing was stored, try again when there is room"
    case .inodesUsedUp:
      "the file system of the data directory has no inodes left; nothing was stored: delete files "
        + "on it, or make it anew with more inodes"
    case .resultsFull:
      "there is no room for a result of this size; nothing was stored, and the lease is kept: post "
        + "it again after Retry-After"
    case .logFull: "the workspace's write-ahead log is too long; nothing was stored"
    case .notStored: "the write was refused and rolled back; nothing was stored, retry"
    case .outcomeUnknown:
      "the write may or may not be on disk; ask GET /messages/{id} after the restart"
    case .workspaceUnavailable: "the workspace's file cannot be used; see the relay's log"
    case .restarting: "the relay is restarting; the message is stored, retrying attaches to it"
    case .stopping: "the relay is stopping after a failed write; send the equal call again"
    case .agentOffline: "agent offline, request not delivered; retrying is safe"
    case .agentTimeout: "delivered to the agent, outcome unknown"
    case .messageEnded: "the message has ended already"
    case .notDead: "only a dead message can be redriven; what has ended otherwise can be replayed"
    case .notEnded: "the message has not ended yet: a replay would do its work twice"
    case .purged: "an operator has purged the message; an agent may have had it"
    case .sendsRefused: "an operator has paused the workspace; nothing was stored"
    case .jobsFull: "the workspace has as many running jobs as it allows; stop one or wait"
    case .backupRunning: "a backup or an import is running; one goes after the other"
    case .notImportable: "the workspace cannot be imported"
    case .idempotencyConflict: "this Idempotency-Key was used for a call with other params"
    case .answerGone: "the message has been deleted: it was stored, and is not run again"
    case .unsupported: "this is not supported by this relay"
    }
  }
}
