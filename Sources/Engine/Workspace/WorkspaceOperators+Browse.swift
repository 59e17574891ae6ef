package import Relay
import Store
import Wire

/// An operator's request for a list of messages.
package struct MessagePage: Sendable {
  package var filter = MessageFilter()
  /// The number after which the page starts.
  package var after: Seq = 0
  package var limit: Int

  package init(limit: Int) { self.limit = limit }
}

/// Lists messages.
extension WorkspaceOperators {
  /// Answers with a page of messages. It looks at no more than `listRowsMax` rows, so a page may be
  /// short or empty; a page with `next` is not the last one.
  func messages(_ operation: Operation, _ page: MessagePage) throws(RelayError) {
    try replies.checkMemory(operation.payer)
    var filter = page.filter
    filter.last = queue.lastSeq
    let after = max(page.after, try place(of: filter.since) - 1)
    let rows = try workspace.reading { () throws(StoreError) in
      try workspace.file.page(Self.listing(filter), after: after, limit: limits.listRowsMax)
    }
    var shown: [MessageFacts] = []
    var last = rows.last?.seq ?? 0
    var isCut = rows.count == limits.listRowsMax
    for row in rows where isShown(row, filter) {
      if shown.count == page.limit {
        isCut = true
        break
      }
      shown.append(try facts(row))
      if shown.count == page.limit { last = row.seq }
    }
    let hasMore = isCut && (page.filter.until.map { rows.last?.at ?? $0 < $0 } ?? true)
    var reply = Reply(call: operation.call, .messageList(shown, next: hasMore ? last : nil))
    reply.payer = operation.payer
    workspace.read(reply)
  }

  /// Returns whether the message matches the filter and is durable; others are shown to nobody.
  private func isShown(_ row: StoredMessage, _ filter: MessageFilter) -> Bool {
    let message = queue.message(row.seq)
    guard message?.state != .storing else { return false }
    return filter.states.isEmpty && filter.hasTime(of: row)
      || filter.matches(row, isHeld: message?.handOut != nil)
  }

  /// Returns the listing of the file that fits the filter; each has an index of its own.
  static func listing(_ filter: MessageFilter) -> WorkspaceFile.Listing {
    switch filter.states {
    case .dead: .failed(.dead)
    case .expired: .failed(.expired)
    case .cancelled: .failed(.cancelled)
    case .queued, .inFlight, .unreceived, [.queued, .inFlight]: .open
    default: .all
    }
  }

  /// Returns the first message that was stored at `time` or later. Numbers are assigned in the
  /// order of time, so that a binary search finds it.
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

  /// Returns the message as both the list and the view of one message show it.
  func facts(_ message: StoredMessage) throws(RelayError) -> MessageFacts {
    let held = queue.message(message.seq)
    let attempts: Int
    if let held { attempts = held.attempt } else { attempts = try self.attempts(message) }
    let first = message.task == message.seq ? message : try workspace.storedMessage(message.task)
    return MessageFacts(
      message: message, id: workspace.messageID(message), workspace: workspace.id,
      isHeld: held?.handOut != nil, task: first.map(workspace.messageID),
      attempts: attempts)
  }

  private func attempts(_ message: StoredMessage) throws(RelayError) -> Int {
    let last = try workspace.reading { () throws(StoreError) in
      try workspace.file.lastHandOut(of: message.seq)
    }
    guard let last else { return 0 }
    return last.row.attempt - (last.last?.kind.countsNoAttempt == true ? 1 : 0)
  }
}

extension MessageFilter {
  func hasTime(of message: StoredMessage) -> Bool {
    if let since, message.at < since { return false }
    if let until, message.at >= until { return false }
    return true
  }
}
