/// The messages that an agent can be given now, the oldest first.
struct ReadyMessages {
  private struct Place: Comparable {
    var position: Int64
    var seq: Seq
    static func < (left: Place, right: Place) -> Bool { left.position < right.position }
  }

  private var heap = Heap<Place>()
  /// Messages whose write is not durable yet and that have no poll reserved: later messages do not
  /// overtake them.
  private(set) var unreservedStoring = 0

  /// The number of the oldest message, which may have ended since it was added.
  var first: Seq? { heap.first?.seq }

  /// Whether a message that arrives now would be the next one.
  var letsArrivalsPass: Bool { heap.isEmpty && unreservedStoring == 0 }

  mutating func add(_ message: Message, among messages: MessageIndex) {
    message.isReady = true
    heap.insert(Place(position: message.position, seq: message.seq))
    // A message that has ended stays until such messages are in the majority.
    if heap.count > 64 + 2 * messages.count {
      heap.keep { messages[$0.seq]?.isReady == true }
    }
  }

  mutating func removeFirst(among messages: MessageIndex) {
    guard let first = heap.popFirst() else { return }
    messages[first.seq]?.isReady = false
  }

  mutating func beginStoring() { unreservedStoring += 1 }
  mutating func endStoring() { unreservedStoring -= 1 }
}
