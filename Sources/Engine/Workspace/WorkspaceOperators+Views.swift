import Relay
import Store
import Wire

/// A message, and the queue, as operators see them.
extension WorkspaceOperators {
  /// Answers with everything that ever happened to a message.
  ///
  /// - `bodies`: the request and the answer as they came, too; a request's credentials are nowhere
  ///   to be shown from.
  func timeline(
    _ call: CallID, of message: StoredMessage, bodies: Bool, payer: BodyMemory.Payer
  ) throws(RelayError) {
    let (handOuts, notes) = try workspace.reading { () throws(StoreError) in
      try workspace.file.timeline(message.seq)
    }
    var timeline = TimelineFacts(
      facts: try facts(message), handOuts: handOuts, notes: notes,
      lateBodies: bodies ? limits.lateResultsMax : 0)
    if bodies {
      (timeline.request, timeline.answer) = try workspace.reading { () throws(StoreError) in
        (try workspace.file.body(message.seq), try workspace.file.answer(message.seq))
      }
    }
    var reply = Reply(call: call, .timeline(timeline))
    reply.payer = payer
    workspace.read(reply)
  }

  /// What the queue holds, and how long it has done so.
  func queueStatus(now: Now) -> QueueStatus {
    func age(_ time: WallTime?) -> Int64? {
      time.map { max(0, (now.wall - $0).nanoseconds / 1_000_000_000) }
    }
    let depth = queue.depth
    let settings = directory.workspace(workspace.id)?.settings ?? Settings()
    return QueueStatus(
      workspace: workspace.id, isPresent: queue.isPresent(now: now), isPaused: settings.isPaused,
      refusesSends: settings.refusesSends, queued: max(0, queue.unanswered - queue.heldCount),
      inFlight: queue.heldCount, counts: depth.counts, bytes: queue.bytes,
      messagesMax: limits.queueMessagesMax, bytesMax: limits.queueBytesMax,
      oldestUnansweredSeconds: age(depth.oldestUnanswered),
      oldestUnreceivedSeconds: age(depth.oldestUnreceived), parkedPolls: queue.parkedCount)
  }
}
