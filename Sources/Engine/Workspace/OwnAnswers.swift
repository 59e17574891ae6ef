import Relay

/// A workspace's answers to its own messages, sent by the platform's way in.
struct OwnAnswers {
  /// An answer whose write is pending, or whose Task is about to be sent.
  struct Answer {
    var addressee: Addressee
    var seq: Seq
    var hash: UUIDBytes
  }

  private var open: [CallID: Answer] = [:]
  /// The last accepted answers, oldest first; `nil` before they are read from the file.
  private var accepted: [(hash: UUIDBytes, seq: Seq)]?

  /// Whether the accepted answers were read from the file.
  var isRead: Bool { accepted != nil }

  mutating func remember(_ answers: [(hash: UUIDBytes, seq: Seq)]) { accepted = answers }

  mutating func begin(_ answer: Answer) { open[answer.addressee.call] = answer }

  mutating func take(_ call: CallID) -> Answer? {
    open.isEmpty ? nil : open.removeValue(forKey: call)
  }

  /// Returns the message that an equal, accepted answer has answered.
  func answered(by hash: UUIDBytes) -> Seq? { accepted?.last { $0.hash == hash }?.seq }

  /// Returns the message that an equal, pending answer is for.
  func isAnswered(by hash: UUIDBytes) -> Seq? { open.values.first { $0.hash == hash }?.seq }

  mutating func accept(_ answer: Answer, atMost count: Int) {
    var list = accepted ?? []
    if list.count >= count { list.removeFirst() }
    list.append((answer.hash, answer.seq))
    accepted = list
  }
}
