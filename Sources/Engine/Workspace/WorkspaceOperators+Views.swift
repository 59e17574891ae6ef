import Relay
import Store
import Wire

/// Shows a message, and the queue, to operators.
extension WorkspaceOperators {
  /// Answers with the whole timeline of a message.
  ///
  /// - `bodies`: the answer includes the bodies of request and result; the credentials of a request
  ///   are not stored anywhere.
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

  /// Returns the content and the ages of the queue.
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
