package import Relay
import Store
import Wire

/// What an operator asks of a list of messages.
package struct MessagePage: Sendable {
  package var filter = MessageFilter()
  /// Everything after this number.
  package var after: Seq = 0
  package var limit: Int

  package init(limit: Int) { self.limit = limit }
}

/// Lists of messages.
extension WorkspaceOperators {
  /// A page of the messages. At most `listRowsMax` rows are looked at: a page may be short, or
  /// empty, and there is more as long as it says `next`.
  func messages(_ operation: Operation, _ page: MessagePage) throws(RelayError) {
    try replies.checkMemory(operation.payer)
    var filter = page.filter
    filter.last = queue.lastSeq
    let after = max(page.after, try place(of: filter.since) - 1)
    let rows = try workspace.reading { () throws(StoreError) in
      try workspace.file.page(Self.listing(filter), after: after, limit: limits.listRowsMax)
    }
    var writer = JSONWriter(capacity: 512 * min(page.limit, rows.count))
    writer.beginObject()
    writer.key("messages")
    writer.beginArray()
    var shown = 0
    var last = rows.last?.seq ?? 0
    var isCut = rows.count == limits.listRowsMax
    for row in rows where isShown(row, filter) {
      if shown == page.limit {
        isCut = true
        break
      }
      writer.beginObject()
      try writeMembers(row, into: &writer)
      writer.endObject()
      shown += 1
      if shown == page.limit { last = row.seq }
    }
    writer.endArray()
    if isCut, page.filter.until.map({ rows.last?.at ?? $0 < $0 }) ?? true {
      writer.key("next")
      writer.string(String(last))
    }
    writer.endObject()
    var reply = Reply(call: operation.call, body: writer.bytes)
    reply.payer = operation.payer
    workspace.read(reply)
  }

  /// What has not passed its barrier is shown to nobody.
  private func isShown(_ row: StoredMessage, _ filter: MessageFilter) -> Bool {
    let message = queue.message(row.seq)
    guard message?.state != .storing else { return false }
    return filter.states.isEmpty && filter.hasTime(of: row)
      || filter.matches(row, isHeld: message?.handOut != nil)
  }

  /// Each by an index of its own.
  static func listing(_ filter: MessageFilter) -> WorkspaceFile.Listing {
    switch filter.states {
    case .dead: .failed(.dead)
    case .expired: .failed(.expired)
    case .cancelled: .failed(.cancelled)
    case .queued, .inFlight, .unreceived, [.queued, .inFlight]: .open
    default: .all
    }
  }

  /// The first message that was stored at `time` or later: numbers are given in the order of time,
  /// so that a search by halves finds it.
  private func place(of time: WallTime?) throws(RelayError) -> Seq {
    guard let time else { return 1 }
    var low: Seq = 1
    var high = queue.lastSeq + 1
    while low < high {
      let middle = low + (high - low) / 2
      let found = try workspace.reading { () throws(StoreError) in
        try workspace.file.first(from: middle)
      }
      if let found, found.at < time { low = found.seq + 1 } else { high = middle }
    }
    return low
  }

  /// The members that a list, and the view of one message, show.
  func writeMembers(
    _ message: StoredMessage, into writer: inout JSONWriter
  ) throws(RelayError) {
    let held = queue.message(message.seq)
    let dialect = Dialect(rawValue: message.dialect) ?? .v03
    try writeSummary(
      message, state: Self.name(message, isHeld: held?.handOut != nil), into: &writer)
    writer.key("seq")
    writer.int(Int(message.seq))
    writer.key("caller")
    writer.string(message.caller)
    writer.key("method")
    writer.string(A2AMethod(rawValue: message.method)?.name(in: dialect) ?? "")
    writer.key("dialect")
    writer.string(dialect == .v03 ? "0.3" : "1.0")
    writer.key("message_id")
    writer.string(message.messageID)
    writer.key("attempts")
    if let held { writer.int(held.attempt) } else { writer.int(try attempts(message)) }
    writer.key("bytes")
    writer.int(message.bytes)
    writer.key("received")
    writer.bool(message.isReceived)
    guard let original = message.replayOf else { return }
    writer.key("replay_of")
    writer.string(original.text)
  }

  private func attempts(_ message: StoredMessage) throws(RelayError) -> Int {
    let last = try workspace.reading { () throws(StoreError) in
      try workspace.file.lastHandOut(of: message.seq)
    }
    guard let last else { return 0 }
    return last.row.attempt - (last.last?.kind.countsNoAttempt == true ? 1 : 0)
  }

  static func name(_ message: StoredMessage, isHeld: Bool) -> String {
    switch message.state {
    case .answered: "answered"
    case .dead: "dead"
    case .expired: "expired"
    case .cancelled: "cancelled"
    case .storing, .queued, .offered, .leased, .answering, .withdrawing, .closing, .redriving:
      isHeld ? "in_flight" : "queued"
    }
  }
}

extension MessageFilter {
  func hasTime(of message: StoredMessage) -> Bool {
    if let since, message.at < since { return false }
    if let until, message.at >= until { return false }
    return true
  }
}
