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

  /// What was wrong, what is allowed, and what to do. A detail may follow behind a colon.
  package var text: String {
    switch self {
    case .badJSON: "the body is not JSON"
    case .tooManyValues:
      "the JSON of the body has too many members and elements; \(Limits().bodyValuesMax) are "
        + "allowed, in a batch \(Limits().messageValuesMax): send less at once, or large data as "
        + "one string"
    case .badRequest: "the request is not valid"
    case .badParameter: "a parameter is not valid"
    case .badResult: "the result is not valid"
    case .notAnEnd:
      "a result must end or interrupt the work; its state must be completed, failed, rejected, "
        + "canceled, input-required or auth-required"
    case .leaseMissing:
      "the lease token is missing; send lease.token of the entry in the header X-Relay-Lease or as "
        + "the member \"lease\""
    case .unauthorized:
      "the credential is missing or not known; send a token of this relay in Authorization: Bearer "
        + "or X-Relay-Key"
    case .invalidCaller: "invalid caller ID"
    case .foreignOrigin:
      "a web page of another origin sent this without a credential; send X-Relay-Key or "
        + "Authorization: Bearer, or call from a program"
    case .wrongHost:
      "the Host of the request is no name of this relay; use an IP address, localhost, the host "
        + "of --public-url or a name given by --allow-host"
    case .notFound: "there is nothing with this id, or this credential may not see it"
    case .noRoute: "no route has this path"
    case .methodNotAllowed: "the route does not take this method; see the header Allow"
    case .workspaceExists: "a workspace with this id exists; use it, or choose another id"
    case .workspaceRemoved: "the workspace has been removed"
    case .confirmationRequired:
      "other workspaces stand below this one, and nothing was removed; repeat the call with "
        + "?confirm=true to remove them too, or move them first"
    case .orgExists: "an org with this id exists; use it, or choose another id"
    case .leaseLost:
      "the lease has ended, or was never given for this message; stop working on it: another agent "
        + "may have it"
    case .alreadyAnswered: "another result was accepted under this lease; the first one counts"
    case .answeredElsewhere:
      "the message was answered under another lease; stop working on it"
    case .closed: "the message has ended; stop working on it"
    case .bodyTooLarge: "the body is larger than allowed; send less"
    case .contentEncoding:
      "the body is compressed, and only identity is allowed; send it without Content-Encoding"
    case .memoryFull:
      "too many requests and responses are in memory; read the responses that wait, then try again"
    case .queueFull: "the queue of the workspace is full, and nothing was stored; try again later"
    case .callerShare:
      "this caller has filled its share of the queue, and nothing was stored; read the answers "
        + "that wait, then try again"
    case .pollsFull: "too many polls wait on this workspace; poll with fewer connections"
    case .workspacesFull:
      "the relay, or the org, has as many workspaces as it may have; purge those that nobody uses"
    case .cardsFull:
      "the agent cards of this org, or of all orgs, take as many bytes as they may; register "
        + "smaller ones, or purge workspaces that nobody uses"
    case .tokensFull:
      "a workspace, or an org, may have \(Limits().tokensPerWorkspaceMax) live tokens, and has "
        + "them; revoke one, or rotate with grace_seconds 0"
    case .orgsFull:
      "there are \(Limits().orgsMax) orgs, as many as are allowed; start another relay"
    case .revocationNotStored:
      "the token is revoked, but the disk refused to store that, and a restart would undo it; make "
        + "room on the disk, then repeat the call"
    case .secretsFull:
      "the secrets of this workspace, or of all workspaces, have reached their limit; delete one"
    case .tooManyOpen: "too many workspaces are in use at once; try again"
    case .diskFull:
      "the disk is nearly full, and nothing was stored; try again when there is room"
    case .inodesUsedUp:
      "the file system of the data directory has no inodes left, and nothing was stored; delete "
        + "files there, or make it anew with more inodes"
    case .resultsFull:
      "there is no room for a result of this size; nothing was stored, and the lease is kept: post "
        + "it again after Retry-After"
    case .logFull:
      "the workspace's write-ahead log is too long, and nothing was stored; try again later"
    case .notStored: "the write was refused, and nothing was stored; try again"
    case .outcomeUnknown:
      "the write may or may not be on disk; after the restart ask GET /messages/{id}, or send the "
        + "equal call again"
    case .workspaceUnavailable:
      "the workspace's file cannot be used; /ready and the relay's log say why"
    case .restarting:
      "the relay is restarting, and the message is stored; send the equal call again to get its "
        + "answer"
    case .stopping: "the relay is stopping after a failed write; send the equal call again"
    case .agentOffline:
      "no agent took the message in time, and it was withdrawn; it is safe to send it again"
    case .agentTimeout:
      "an agent has the message, and has not answered in time; send the equal call again to get "
        + "the answer"
    case .messageEnded: "the message has already ended; its timeline says how"
    case .notDead: "only a dead message can be redriven; replay one that has ended otherwise"
    case .notEnded:
      "the message has not ended, and a replay would do its work twice; wait, or cancel it first"
    case .purged: "an operator has deleted the message; an agent may have had it"
    case .sendsRefused:
      "an operator has paused the workspace, and nothing was stored; try again later"
    case .jobsFull:
      "the workspace has \(Limits().jobsRunningMax) running jobs, as many as it may have; wait for "
        + "one, or stop one"
    case .backupRunning:
      "a backup, an export or an import is running; wait until it has ended"
    case .notImportable: "the workspace cannot be imported"
    case .idempotencyConflict:
      "this Idempotency-Key was used for another call; use a new key, or repeat that call with the "
        + "same method and params"
    case .answerGone:
      "the message has ended and was deleted; to run it again, send it with a new Idempotency-Key"
    case .unsupported: "this relay does not support this"
    }
  }
}
