import Relay
import Store
import Wire

/// A message in the platform's words.
struct QueueItem {
  let message: StoredMessage
  let workspace: WorkspaceID
  /// As the queue holds it, if it does.
  var current: Message?
  var handOuts: [HandOutRow] = []
  var response: [UInt8]?

  init(_ message: StoredMessage, _ workspace: WorkspaceID) {
    self.message = message
    self.workspace = workspace
  }

  private var status: String {
    switch current?.state ?? message.state {
    case .storing, .queued, .withdrawing, .closing, .redriving: "queued"
    case .offered, .leased, .answering: "dispatched"
    case .answered: "completed"
    case .dead: "failed"
    case .expired: "expired"
    case .cancelled: "dropped"
    }
  }

  func json(_ id: MessageID) -> [UInt8] {
    var writer = JSONWriter(capacity: 512 + (response?.count ?? 0))
    writer.beginObject()
    writer.key("queue_id")
    writer.string(id.text)
    writer.key("workspace_id")
    writer.string(workspace.text)
    writer.key("status")
    writer.string(status)
    writer.key("priority")
    writer.int(50)
    writer.key("attempts")
    writer.int(max(message.attempt, handOuts.last?.attempt ?? 0))
    if let reason = message.reason {
      writer.key("last_error")
      writer.string(reason.name)
    }
    write("enqueued_at", message.at, &writer)
    if let first = handOuts.first { write("dispatched_at", first.at, &writer) }
    if let ended = message.endedAt { write("completed_at", ended, &writer) }
    write("expires_at", message.expires, &writer)
    if let response {
      writer.key("response_body")
      writer.raw(response)
    }
    writer.endObject()
    return writer.bytes
  }

  private func write(_ name: StaticString, _ time: WallTime, _ writer: inout JSONWriter) {
    writer.key(name)
    writer.string(Timestamp.rfc3339(nanoseconds: time.nanoseconds))
  }
}
