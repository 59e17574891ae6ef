/// What the application has asked for a request that waits for its answer.
struct Hold {
  /// Makes the head fields of the answer. Few answers are committed before they are whole.
  private var headers: (() -> [(String, String)])?
  /// The application is to know when the peer half-closes.
  private(set) var isWatched = false
  private var isReported = false
  /// Signs of life go out until the answer.
  private(set) var sendsWhitespace = false

  mutating func watch() { isWatched = true }

  mutating func sendWhitespace(_ headers: (() -> [(String, String)])?) {
    sendsWhitespace = headers != nil
    if let headers { self.headers = headers }
  }

  mutating func takeHeaders() -> [(String, String)] {
    defer { headers = nil }
    return headers?() ?? []
  }

  /// Returns true once for a watched request.
  mutating func report() -> Bool {
    guard isWatched, !isReported else { return false }
    isReported = true
    return true
  }
}
