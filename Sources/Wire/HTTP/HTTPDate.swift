/// `IMF-fixdate`, the date of HTTP: RFC 9110 §5.6.7.
package enum HTTPDate {
  private static let days = Array("SunMonTueWedThuFriSat".utf8)
  private static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)

  /// The years 0 to 9999 can be written, others not.
  private static let secondsRange: Range<Int64> = -62_167_219_200..<253_402_300_800

  /// 29 bytes, such as `Sun, 06 Nov 1994 08:49:37 GMT`. The format ends with the year 9999.
  package static func format(secondsSince1970 seconds: Int64) -> [UInt8] {
    precondition(secondsRange.contains(seconds), "a date of HTTP has a year of four digits")
    let time = CivilTime(secondsSince1970: seconds)
    var text: [UInt8] = []
    text.reserveCapacity(29)
    text.append(contentsOf: days[(time.weekday * 3)..<(time.weekday * 3 + 3)])
    text.append(contentsOf: ", ".utf8)
    CivilTime.append(time.day, width: 2, to: &text)
    text.append(HTTPCharacter.space)
    text.append(contentsOf: months[(time.month * 3 - 3)..<(time.month * 3)])
    text.append(HTTPCharacter.space)
    CivilTime.append(time.year, width: 4, to: &text)
    text.append(HTTPCharacter.space)
    CivilTime.append(time.hour, width: 2, to: &text)
    text.append(HTTPCharacter.colon)
    CivilTime.append(time.minute, width: 2, to: &text)
    text.append(HTTPCharacter.colon)
    CivilTime.append(time.second, width: 2, to: &text)
    text.append(contentsOf: " GMT".utf8)
    return text
  }

  /// Nil unless `text` is exactly a date as `format` writes it, weekday included.
  ///
  /// The two obsolete formats are not read: a condition that cannot be read is ignored (RFC 9110
  /// §13.1.3), and the answer is then whole instead of 304.
  package static func parse(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    guard bytes.count == 29 else { return nil }
    let month = stride(from: 0, to: 36, by: 3).first {
      months[$0..<($0 + 3)] == bytes[8..<11]
    }
    guard let month, let day = number(bytes[5..<7]), let year = number(bytes[12..<16]),
      let hour = number(bytes[17..<19]), let minute = number(bytes[20..<22]),
      let second = number(bytes[23..<25])
    else { return nil }
    let seconds = CivilTime.secondsSince1970(
      year: year, month: month / 3 + 1, day: day, hour: hour, minute: minute, second: second)
    // What is out of its range (a 31 April, a minute 61, a wrong weekday) is written differently.
    guard secondsRange.contains(seconds), format(secondsSince1970: seconds) == bytes else {
      return nil
    }
    return seconds
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
    var number = 0
    for digit in digits {
      guard HTTPCharacter.isDigit(digit) else { return nil }
      number = number * 10 + Int(digit - 0x30)
    }
    return number
  }
}
