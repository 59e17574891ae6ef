extension Queue {
  /// Every poll that waits ends without an answer of the queue's; the driver gives them theirs.
  package func abandonPolls(now: Now) -> [PollID] {
    let ids = polls.keys.sorted()
    for id in ids { pollGone(id, now: now) }
    return ids
  }

  /// The workspace was removed: ends up to `most` messages and open tasks. To be called again until
  /// nothing `isOpen`; what has a write on its way is for a later call.
  package func closeSome(_ call: CallID, most: Int, now: Now) {
    let open = messages.values.lazy.filter { !$0.state.isEnd && !$0.state.isPending }
    let seqs = open.prefix(most).map(\.seq)
    for seq in seqs { close(call, seq, .workspaceRemoved, now: now) }
    let left = most - seqs.count
    let waiting = tasks.lazy.filter { $0.value.messages.isEmpty && !$0.value.isPending }
    for task in waiting.prefix(left).map(\.key) { cancelTask(call, task, now: now) }
  }

  /// A message has no end yet, or a task waits for its caller.
  package var isOpen: Bool {
    unanswered > 0 || tasks.values.contains { !$0.state.isTerminal }
  }
}
