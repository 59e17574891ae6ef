extension Queue {
  /// The oldest message of this caller that an agent holds now, and the fence to answer it by.
  /// `orLost`: if there is none, one whose lease has ended, as its agent may still answer.
  package func oldestHeld(of caller: String, orLost: Bool) -> (seq: Seq, fence: Fence)? {
    // Most have nothing here, and there may be thousands of others' messages.
    guard perCaller[caller]?.counts.unanswered ?? 0 > 0 else { return nil }
    let own = messages.values.filter { $0.caller == caller }
    let held = own.filter { $0.state == .offered || $0.state == .leased }
    if let first = held.min(by: { $0.seq < $1.seq }), let fence = first.handOut?.fence {
      return (first.seq, fence)
    }
    guard orLost else { return nil }
    let lost = own.filter { $0.state == .queued && $0.handOut == nil && !$0.fences.isEmpty }
    guard let first = lost.min(by: { $0.seq < $1.seq }), let fence = first.fences.last
    else { return nil }
    return (first.seq, fence)
  }

  /// The fence of the answer that is on its way for a message.
  package func fenceOfAnswer(_ seq: Seq) -> Fence? {
    guard let message = messages[seq], case .answer(let result) = message.pending
    else { return nil }
    return result.fence
  }
}
