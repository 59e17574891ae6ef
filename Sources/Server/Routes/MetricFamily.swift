import HTTPServer
import Wire

/// Every family of `/metrics`: its name, its kind and its help text. `docs/metrics.md` has a row
/// for each.
enum MetricFamily: String, CaseIterable {
  case build = "a2a_relay_build_info"
  case processStart = "process_start_time_seconds"
  case processCPU = "process_cpu_seconds_total"
  case processMemory = "process_resident_memory_bytes"
  case clockJumps = "a2a_relay_clock_jumps_total"
  case clockDoubt = "a2a_relay_clock_doubted_seconds"
  case logLinesLost = "a2a_relay_log_lines_lost_total"

  case barrierSeconds = "a2a_relay_barrier_seconds"
  case barrierErrors = "a2a_relay_barrier_errors_total"
  case barrierAge = "a2a_relay_barrier_last_success_age_seconds"
  case roundOperations = "a2a_relay_round_operations"
  case commits = "a2a_relay_commits_total"
  case commitsRefused = "a2a_relay_commits_refused_total"
  case walPages = "a2a_relay_wal_pages"
  case walPagesMost = "a2a_relay_wal_pages_max"
  case checkpointSeconds = "a2a_relay_checkpoint_seconds"
  case checkpointErrors = "a2a_relay_checkpoint_errors_total"
  case registryWrites = "a2a_relay_registry_writes_total"
  case diskFree = "a2a_relay_disk_free_bytes"
  case diskHighWater = "a2a_relay_disk_high_water_bytes"
  case diskLow = "a2a_relay_disk_low"
  case reserveHeld = "a2a_relay_disk_reserve_held"

  case filesOpened = "a2a_relay_workspace_files_opened_total"
  case filesClosed = "a2a_relay_workspace_files_closed_total"
  case filesOpen = "a2a_relay_workspace_files_open"
  case filesFailed = "a2a_relay_workspace_files_failed"
  case agents = "a2a_relay_agents"

  case unanswered = "a2a_relay_messages_unanswered"
  case inFlight = "a2a_relay_messages_in_flight"
  case unreceived = "a2a_relay_messages_unreceived"
  case dead = "a2a_relay_messages_dead"
  case interrupted = "a2a_relay_tasks_interrupted"
  case queueBytes = "a2a_relay_queue_bytes"
  case oldestUnanswered = "a2a_relay_oldest_unanswered_age_seconds"
  case oldestUnreceived = "a2a_relay_oldest_unreceived_age_seconds"

  case sends = "a2a_relay_sends_total"
  case attaches = "a2a_relay_attaches_total"
  case handOuts = "a2a_relay_hand_outs_total"
  case redeliveries = "a2a_relay_redeliveries_total"
  case results = "a2a_relay_results_total"
  case resultsLate = "a2a_relay_results_late_total"
  case ended = "a2a_relay_messages_ended_total"
  case retired = "a2a_relay_messages_retired_total"
  case refusals = "a2a_relay_refusals_total"

  case parkedPolls = "a2a_relay_parked_polls"
  case heldCallers = "a2a_relay_held_callers"
  case connections = "a2a_relay_connections"
  case connectionsAccepted = "a2a_relay_connections_accepted_total"
  case connectionsLost = "a2a_relay_connections_lost_total"
  case acceptsPaused = "a2a_relay_accept_pauses_total"
  case requests = "a2a_relay_requests_total"
  case requestsMalformed = "a2a_relay_requests_malformed_total"
  case timeOuts = "a2a_relay_time_outs_total"
  case turns = "a2a_relay_loop_turns_total"
  case bodyBytes = "a2a_relay_body_bytes"
  case bodyBytesMax = "a2a_relay_body_bytes_max"

  case workspaceUnanswered = "a2a_relay_workspace_messages_unanswered"
  case workspaceUnreceived = "a2a_relay_workspace_messages_unreceived"
  case workspaceDead = "a2a_relay_workspace_messages_dead"
  case workspaceOldest = "a2a_relay_workspace_oldest_unanswered_age_seconds"

  /// By Prometheus' own rule, a family whose name ends in `_total` only grows.
  var kind: MetricsText.Kind {
    switch self {
    case .barrierSeconds, .checkpointSeconds, .roundOperations: .histogram
    case _ where rawValue.hasSuffix("_total"): .counter
    default: .gauge
    }
  }
}

extension MetricFamily {
  var help: String {
    switch self {
    case .build: "Always 1; the version is a label."
    case .processStart: "When the process started, in seconds since 1970."
    case .processCPU: "CPU time of the process, user and system."
    case .processMemory: "Memory of the process that is in RAM."
    case .clockJumps: "Times the wall clock was found moved by more than ten minutes."
    case .clockDoubt:
      "How long nothing expires or is deleted by the wall clock yet; 0 if it is believed."
    case .logLinesLost: "Lines of the log that nobody has read, or that could not be written."
    case .barrierSeconds:
      "How long a barrier took. Form: fdatasync or syncfs on its thread, or loop (one fdatasync)."
    case .barrierErrors: "Barriers that failed; the first ends the process."
    case .barrierAge: "Time since the last barrier that passed; 0 before the first."
    case .roundOperations: "Messages, results and registry changes that one round made durable."
    case .commits: "Transactions committed into workspace files."
    case .commitsRefused: "Transactions that did not fit on the disk; their sends were refused."
    case .walPages: "Pages in the write-ahead logs of all open workspace files."
    case .walPagesMost: "Pages in the longest write-ahead log of an open workspace file."
    case .checkpointSeconds: "How long the loop took to copy a log into its file."
    case .checkpointErrors: "Checkpoints that failed."
    case .registryWrites: "Changes committed into relay.db."
    case .diskFree: "Free bytes on the file system of the data directory, looked at once a second."
    case .diskHighWater: "Free bytes below which sends are refused."
    case .diskLow: "1 while sends are refused because the disk is nearly full."
    case .reserveHeld: "1 while the space for results on a full disk is held back."
    default: trafficHelp
    }
  }

  private var trafficHelp: String {
    switch self {
    case .filesOpened: "Workspace files opened."
    case .filesClosed: "Workspace files closed while the relay goes on."
    case .filesOpen: "Workspace files open now."
    case .filesFailed: "Workspaces whose file a final error has closed; doctor names them."
    case .agents:
      "Workspaces by their agent: online, offline, or awaiting one that never registered. Counted "
        + "in passes of 2000 workspaces a second."
    case .unanswered: "Messages without an end. " + Self.scope
    case .inFlight: "Messages without an end that an agent has. " + Self.scope
    case .unreceived: "Ends that no caller has received, without dead messages. " + Self.scope
    case .dead: "Messages whose attempts are used up, as long as they are kept. " + Self.scope
    case .interrupted: "Open tasks that wait for input or authorization. " + Self.scope
    case .queueBytes: "Bytes of the requests of these messages. " + Self.scope
    case .oldestUnanswered: "Age of the oldest message without an end; 0 if none. " + Self.scope
    case .oldestUnreceived: "Age of the oldest end that nobody received; 0 if none. " + Self.scope
    case .sends: "Messages stored: durable, and acknowledged."
    case .attaches: "Calls that were attached to an equal message instead of stored again."
    case .handOuts: "Messages delivered to polls."
    case .redeliveries: "Deliveries of messages that an agent had before, or may have had."
    case .results: "Results accepted as the answer of their message."
    case .resultsLate: "Results accepted under a lease that had ended."
    case .ended: "Messages that ended without an answer, by reason."
    case .retired: "Messages that retention deleted: by their age, or because too much was kept."
    case .refusals: "Refusals by their code in docs/errors.md."
    default: peersHelp
    }
  }

  /// Which workspaces the depths count.
  private static let scope =
    "Open workspace files, and closed ones as they were; not those unused since the start."

  private var peersHelp: String {
    switch self {
    case .parkedPolls: "Polls that wait for a message."
    case .heldCallers: "Callers that wait for an answer."
    case .connections: "Open connections."
    case .connectionsAccepted: "Connections accepted."
    case .connectionsLost: "Connections that ended by an error, a reset or a time-out."
    case .acceptsPaused: "Times that accepting was paused for want of connections or descriptors."
    case .requests: "Requests whose head could be read."
    case .requestsMalformed: "Requests that were not valid HTTP/1.1."
    case .timeOuts: "Peers that sent no request, or took no answer, in time."
    case .turns: "Turns of the loop."
    case .bodyBytes: "Bytes in memory: bodies received, being made or not yet read, and half heads."
    case .bodyBytesMax: "Bound of the bytes in memory; at the bound requests are refused."
    case .workspaceUnanswered: "Messages without an end, of one open workspace."
    case .workspaceUnreceived: "Ends that no caller has received, of one open workspace."
    case .workspaceDead:
      "Messages whose attempts are used up, as long as they are kept, of one workspace."
    case .workspaceOldest: "Age of the oldest message without an end, of one open workspace."
    default: preconditionFailure("\(self) has no help")
    }
  }
}
