import Relay

/// Decides when memory that was freed goes back to the system.
///
/// The allocator keeps what was freed, in pieces that nothing large fits into. After a peak it is
/// given back: when more than `keptMax` bytes, and more than half of the peak, are no longer used.
struct MemoryReturn {
  private let keptMax: Int
  private var connectionPeak = 0
  private var notBefore = Instant(nanoseconds: 0)

  init(keptMax: Int) { self.keptMax = keptMax }

  /// To be asked at the end of each turn. When it returns true, the peak is forgotten.
  mutating func isDue(_ memory: BodyMemory, connections: Int, now: Instant) -> Bool {
    connectionPeak = max(connectionPeak, connections)
    let used = memory.used + connections * Connection.ownBytes
    let peak = memory.peak + connectionPeak * Connection.ownBytes
    guard peak - used > keptMax, used < peak / 2, now >= notBefore else { return false }
    notBefore = now + Limits.memoryReturnEvery
    memory.forgetPeak()
    connectionPeak = connections
    return true
  }
}
