/// Times as RFC 3339 writes them, in UTC with milliseconds: `2026-01-31T23:59:59.123Z`.
package enum Timestamp {
  package static func rfc3339(nanoseconds: Int64) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(24)
    append(nanoseconds: nanoseconds, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends 24 bytes. Time is cut to the millisecond, never rounded up into the future.
  package static func append(nanoseconds: Int64, to text: inout [UInt8]) {
    let (seconds, rest) = CivilTime.divide(nanoseconds, by: 1_000_000_000)
    let time = CivilTime(secondsSince1970: seconds)
    CivilTime.append(time.year, width: 4, to: &text)
    text.append(0x2D)
    CivilTime.append(time.month, width: 2, to: &text)
    text.append(0x2D)
    CivilTime.append(time.day, width: 2, to: &text)
    text.append(0x54)
    CivilTime.append(time.hour, width: 2, to: &text)
    text.append(HTTPCharacter.colon)
    CivilTime.append(time.minute, width: 2, to: &text)
    text.append(HTTPCharacter.colon)
    CivilTime.append(time.second, width: 2, to: &text)
    text.append(0x2E)
    CivilTime.append(rest / 1_000_000, width: 3, to: &text)
    text.append(0x5A)
  }
}
