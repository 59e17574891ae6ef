package import Relay

/// The state of the clocks in relay.db: one value, written with other changes and when it is news.
extension RegistryFile {
  private static let clockKey = "clock"

  /// `nil`: no relay that keeps one has run here. What cannot be read is like none.
  package func clock() throws(StoreError) -> ClockRecord? {
    let parts = try metaText(Self.clockKey).split(separator: " ", maxSplits: 4)
    let numbers = parts.prefix(4).compactMap { Int64($0) }
    guard parts.count == 5, numbers.count == 4 else { return nil }
    let record = ClockRecord(
      boot: String(parts[4]), wall: WallTime(nanoseconds: numbers[0]),
      instant: Instant(nanoseconds: numbers[1]),
      doubtfulUntil: Instant(nanoseconds: numbers[2]),
      believed: WallTime(nanoseconds: numbers[3]))
    return Ranges.isTime(record.wall) && Ranges.isTime(record.believed) ? record : nil
  }

  func put(_ record: ClockRecord) throws(StoreError) {
    let numbers = [
      record.wall.nanoseconds, record.instant.nanoseconds, record.doubtfulUntil.nanoseconds,
      record.believed.nanoseconds,
    ]
    let text = numbers.map { String($0) }.joined(separator: " ")
    try setMeta(Self.clockKey) { $0.add("\(text) \(record.boot)") }
  }
}
