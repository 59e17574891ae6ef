extension Timestamp {
  /// Reads RFC 3339 §5.6: `2026-01-31T23:59:59Z`, with a fraction and an offset if need be; `nil` for
  /// what is no time of the calendar. A leap second counts as the one after it.
  package static func nanoseconds(rfc3339 text: String) -> Int64? {
    var rest = Array(text.utf8)[...]
    func number(_ digits: Int) -> Int? {
      guard rest.count >= digits else { return nil }
      var value = 0
      for byte in rest.prefix(digits) {
        guard (0x30...0x39).contains(byte) else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      rest = rest.dropFirst(digits)
      return value
    }
    func mark(_ allowed: String) -> Bool {
      guard let byte = rest.first, allowed.utf8.contains(byte) else { return false }
      rest = rest.dropFirst()
      return true
    }
    guard let year = number(4), mark("-"), let month = number(2), mark("-"), let day = number(2),
      mark("Tt "), let hour = number(2), mark(":"), let minute = number(2), mark(":"),
      let second = number(2)
    else { return nil }
    var fraction: Int64 = 0
    if mark(".") {
      let digits = rest.prefix { (0x30...0x39).contains($0) }
      guard !digits.isEmpty else { return nil }
      for place in 0..<9 {
        let digit = place < digits.count ? digits[digits.startIndex + place] - 0x30 : 0
        fraction = fraction * 10 + Int64(digit)
      }
      rest = rest.dropFirst(digits.count)
    }
    var offset = 0
    if !mark("Zz") {
      let isEast = rest.first == UInt8(ascii: "+")
      guard mark("+-"), let hours = number(2), mark(":"), let minutes = number(2), hours < 24,
        minutes < 60
      else { return nil }
      offset = (hours * 60 + minutes) * (isEast ? 60 : -60)
    }
    guard rest.isEmpty, (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60,
      second <= 60, (1678...2261).contains(year)
    else { return nil }
    let seconds = CivilTime.secondsSince1970(
      year: year, month: month, day: day, hour: hour, minute: minute, second: min(second, 59))
    let back = CivilTime(secondsSince1970: seconds)
    guard back.day == day, back.month == month else { return nil }
    return (seconds - Int64(offset) + (second == 60 ? 1 : 0)) * 1_000_000_000 + fraction
  }
}
