import Relay
import Wire

extension QueueCounts {
  /// By the names under which callers and operators see them.
  var named: [(name: String, count: Int)] {
    [
      ("unanswered", unanswered), ("unreceived", unreceived), ("dead", dead),
      ("interrupted", interrupted),
    ]
  }
}

extension QueueRefusal {
  /// Says what fills the queue, or the caller's share of it, and how that gets less.
  func reply(to addressee: Addressee) -> Reply {
    let list = counts.named.map { "\($0.count) \($0.name)" }.joined(separator: ", ")
    var metadata = counts.named.map { ($0.name, "\($0.count)") }
    metadata.insert(("depth", "\(counts.messages)"), at: 0)
    if let bytes { metadata.insert(("bytes", "\(bytes)"), at: 1) }
    if let kept {
      metadata.append(("kept", "\(kept)"))
      return addressee.reply(
        error,
        detail: "\(kept) messages that have ended are kept, most of them because nobody has read "
          + "their ends: GetTask, or GET /messages/{id}, and they make room",
        metadata: metadata)
    }
    return addressee.reply(
      error,
      detail: "\(list); an ended message is received, and its place free, when its caller reads it "
        + "(GetTask, or GET /messages/{id}); a task that waits for input goes on with a message or "
        + "ends with CancelTask",
      metadata: metadata)
  }
}
