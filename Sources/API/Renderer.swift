package import Engine
package import Relay
import Wire

/// Renders the engine's replies as JSON and HTTP.
///
/// Every function is a pure function of values: it reads no queue and changes nothing.
package struct Renderer: Sendable {
  package let registry: RegistryRenderer

  package init(urls: PublicURLs, _ limits: Limits) {
    registry = RegistryRenderer(urls: urls, limits)
  }

  /// Returns the response to a request.
  package func response(to reply: Reply) -> Rendered {
    if let addressee = reply.addressee {
      return response(to: addressee, reply.content)
    }
    switch reply.content {
    case .error(let error, let detail, let facts): return response(error, detail, facts)
    case .rpcError(let error): return Rendered(JSONRPC.error(error))
    case .noMessages(let seconds):
      return Rendered(
        status: 204, headers: seconds.map { [("Retry-After", "\($0)")] } ?? [], [])
    case .batch(let results, let poll): return Rendered(batch(results, poll))
    case .noQueueItem: return Rendered(status: RelayError.notFound.status, noQueueItem.bytes)
    case .queueItemGone: return Rendered(status: RelayError.answerGone.status, queueItemGone.bytes)
    case .readiness(let readiness):
      return Rendered(status: readiness.isReady ? 200 : 503, ready(readiness).bytes)
    case .jobStarted(let row): return Rendered(status: 202, started(row).bytes)
    case .backupStarted(let job, let folder):
      return Rendered(status: 202, (["job": .string(job), "dir": .string(folder)] as JSON).bytes)
    case .workspaceCreated(let row):
      return Rendered(
        status: 201, headers: [("Location", "/workspaces/\(row.id.text)")],
        registry.workspace(row, lastSeen: nil).bytes)
    case .imported, .tokenMinted, .keyMinted, .org:
      return Rendered(status: 201, body(reply.content))
    // A cache between relay and agent must not keep secrets (RFC 9111 §5.2.2.5).
    case .secrets: return Rendered(headers: [("Cache-Control", "no-store")], body(reply.content))
    default: return Rendered(body(reply.content))
    }
  }

  /// Returns the body of a reply whose status is 200 or chosen by the caller of this function.
  func body(_ answer: ReplyContent) -> [UInt8] {
    var writer = JSONWriter(capacity: 1024)
    if write(answer, into: &writer) { return writer.bytes }
    return json(answer).bytes
  }

  /// Writes a reply that may be large. Returns false, and writes nothing, for all other replies.
  private func write(_ answer: ReplyContent, into writer: inout JSONWriter) -> Bool {
    switch answer {
    case .messages(let deliveries): write(deliveries, into: &writer)
    case .messageList(let rows, let next): write(rows, next: next, into: &writer)
    case .message(let facts, let task): write(facts, task, into: &writer)
    case .timeline(let timeline): write(timeline, into: &writer)
    case .queueItem(let item): write(item, into: &writer)
    default: return false
    }
    return true
  }

  private func json(_ answer: ReplyContent) -> JSON {
    switch answer {
    case .leased(let seconds): ["status": "leased", "expires_in": .number("\(seconds)")]
    case .released: ["status": "released"]
    case .accepted(let isLate):
      isLate ? ["status": "accepted", "late": true] : ["status": "accepted"]
    case .duplicate: ["status": "accepted", "duplicate": true]
    case .alive: ["status": "ok"]
    case .cancelled(let id): ["status": "cancelled", "id": .string(id.text)]
    case .redriven(let id): ["status": "redriven", "id": .string(id.text)]
    case .replayed(let original, let copy):
      [
        "status": "replayed", "id": .string(copy.text), "replay_of": .string(original.text),
        "credentials": "removed",
      ]
    case .tombstone(let id, let workspace, let tombstone): deleted(id, workspace, tombstone)
    case .queueStatus(let status): queue(status)
    case .dryRun(let matched, let standings): dryRun(matched, standings)
    case .job(let row): job(row)
    case .jobs(let rows): ["jobs": .array(rows.map(job))]
    case .imported(let id, let messages):
      ["workspace": .string(id.text), "messages": .number("\(messages)")]
    default: registry.json(answer)
    }
  }
}

/// A response's status, fields and body.
package struct Rendered: Sendable {
  package var status: Int
  package var headers: [(String, String)]
  package var body: [UInt8]

  init(status: Int = 200, headers: [(String, String)] = [], _ body: [UInt8]) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}
