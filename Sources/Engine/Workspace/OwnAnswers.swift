import Relay

/// A workspace's answers to what it has asked itself, by the platform's way in.
struct OwnAnswers {
  /// One whose write is on its way, or whose Task is about to be told.
  struct Answer {
    var addressee: Addressee
    var seq: Seq
    var hash: UUIDBytes
  }

  private var open: [CallID: Answer] = [:]
  /// The last ones that were accepted, oldest first. `nil`: nobody has looked into the file yet.
  private var accepted: [(hash: UUIDBytes, seq: Seq)]?

  /// What was accepted before has been read.
  var isRead: Bool { accepted != nil }

  mutating func remember(_ answers: [(hash: UUIDBytes, seq: Seq)]) { accepted = answers }

  mutating func begin(_ answer: Answer) { open[answer.addressee.call] = answer }

  mutating func take(_ call: CallID) -> Answer? {
    open.isEmpty ? nil : open.removeValue(forKey: call)
  }

  /// The message that an equal answer has answered.
  func answered(by hash: UUIDBytes) -> Seq? { accepted?.last { $0.hash == hash }?.seq }

  /// The message that an equal answer on its way is for.
  func isAnswered(by hash: UUIDBytes) -> Seq? { open.values.first { $0.hash == hash }?.seq }

  mutating func accept(_ answer: Answer, atMost count: Int) {
    var list = accepted ?? []
    if list.count >= count { list.removeFirst() }
    list.append((answer.hash, answer.seq))
    accepted = list
  }
}
