import System

/// Drives all clients of one measurement from one thread.
final class LoadLoop {
  private let poller: Poller
  private(set) var clients: [Client] = []
  private var buffer = [UInt8](repeating: 0, count: 256 * 1024)

  init() throws(BenchError) {
    do {
      poller = try Poller(eventsMax: 512)
    } catch {
      throw .failed("\(error)")
    }
  }

  /// Takes a client in and lets it send its first request.
  func add(_ client: Client) throws(BenchError) {
    // The generation is free here: it says which client it is.
    let token = Poller.Token(descriptor: client.socket, generation: UInt32(clients.count))
    try attempt("epoll") { try poller.add(token, .readable) }
    clients.append(client)
    try client.start()
  }

  /// Closes the connections of the clients that came last.
  func removeLast(_ count: Int) { clients.removeLast(count) }

  /// Goes on for so long; every `interval` calls `tick`, when there is one.
  func run(
    seconds: Double, every interval: Int64 = 0, tick: () throws(BenchError) -> Void = {}
  ) throws(BenchError) {
    var now = ticks()
    let end = now + Int64(seconds * 1e9)
    var due = interval > 0 ? now : Int64.max
    var nextCheck = now
    while now < end {
      if now >= nextCheck {
        try Interrupt.check()
        nextCheck = now + nanosecondsPerSecond / 10
      }
      if now >= due {
        try tick()
        due += interval
      }
      let rest = min(end, due, nextCheck) - now
      // Up to a millisecond early, then without waiting: an even pace matters here.
      try turn(milliseconds: Int32(clamping: max(0, rest / 1_000_000)))
      now = ticks()
    }
  }

  private func turn(milliseconds: Int32) throws(BenchError) {
    let count = try attempt("epoll") { try poller.wait(milliseconds: milliseconds) }
    for index in 0..<count {
      let token = poller.event(index).token
      try clients[Int(token.generation)].receive(&buffer)
    }
  }
}
