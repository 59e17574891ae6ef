package import Relay
import Wire

extension Engine {
  /// Applies the calls in order. The reply comes when all of them are durable and the poll, whose
  /// id is the batch's, has its answer.
  package func batch(
    _ call: CallID, _ calls: [(CallID, Result<AgentCall, BatchFault>)], poll: Poll?,
    at id: WorkspaceID, now: Now
  ) {
    if calls.isEmpty, poll == nil {
      return replies.send(Reply(call: call, body: Array("{\"results\":[]}".utf8)))
    }
    replies.beginBatch(call, calls.map(\.0), isPolling: poll != nil)
    for (part, item) in calls {
      switch item {
      case .success(let agent): agentCall(agent, now: now)
      case .failure(let fault):
        replies.send(Reply(call: part, error: fault.error, detail: fault.detail))
      }
    }
    if let poll { self.poll(poll, at: id, now: now) }
  }
}

/// A part of a batch that could not be understood.
package struct BatchFault: Error, Sendable {
  package var error: RelayError
  package var detail: String?

  package init(_ error: RelayError, _ detail: String? = nil) {
    self.error = error
    self.detail = detail
  }
}
