import Wire

/// Whole requests on their way to the application. Those with large bodies take turns, so that
/// small ones are answered in between.
struct HandOver {
  struct Request {
    let head: HTTPRequestHead
    let body: [UInt8]
    /// It may have ended meanwhile.
    let connection: Connection
  }

  /// Requests with large bodies, in the order in which they became whole.
  private(set) var waiting: [Request] = []
  /// Bytes of bodies handed over in this turn, which count in the memory until its end.
  private var bytes = 0
  /// The last turn handed over some of the large ones.
  private var isResting = false

  func isWaiting(_ connection: Connection) -> Bool {
    waiting.contains { $0.connection === connection }
  }

  mutating func append(_ request: Request) { waiting.append(request) }

  mutating func popFirst() -> Request? { waiting.isEmpty ? nil : waiting.removeFirst() }

  /// The application gets a body of this size.
  mutating func count(_ bytes: Int) { self.bytes += bytes }

  /// Returns the bytes that were handed over in the turn.
  mutating func endTurn() -> Int {
    defer { bytes = 0 }
    return bytes
  }

  /// Returns how many of the waiting requests are handed over in a new turn: at least one, and as
  /// many as have room. The turn after that is for small requests alone: whoever came meanwhile
  /// waits for the end of no other large one.
  mutating func beginTurn(bytesMax: Int) -> Int {
    guard !isResting, !waiting.isEmpty else {
      isResting = false
      return 0
    }
    isResting = true
    var bytes = 0
    return max(
      1,
      waiting.prefix {
        bytes += $0.body.count
        return bytes <= bytesMax
      }.count)
  }
}
