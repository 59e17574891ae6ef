import Testing

@testable import Wire

@Suite struct HTTPDateTests {
  static let known: [(Int64, String)] = [
    (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
    (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
    (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
    (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
    (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
    (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    (-62_167_219_200, "Sat, 01 Jan 0000 00:00:00 GMT"),
  ]

  @Test(arguments: known) func `a date is written and read`(seconds: Int64, text: String) {
    #expect(String(decoding: HTTPDate.format(secondsSince1970: seconds), as: UTF8.self) == text)
    #expect(HTTPDate.parse(text) == seconds)
  }

  @Test(arguments: [
    "", "Sun, 06 Nov 1994 08:49:37 UTC", "Mon, 06 Nov 1994 08:49:37 GMT",
    "Thu, 29 Feb 2100 00:00:00 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT", "Sun,  6 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 GMT ",
    "Sun, 0ä Nov 1994 08:49:3 GMT",
  ])
  func `text that is not exactly a date is not read`(text: String) {
    #expect(HTTPDate.parse(text) == nil)
  }

  @Test func `every day of four centuries follows the one before`() {
    var day = CivilTime(secondsSince1970: 0)
    for days in 1...Int64(146_097) {
      let next = CivilTime(secondsSince1970: days * CivilTime.daySeconds)
      let isNextDay = next.day == day.day + 1 && next.month == day.month && next.year == day.year
      let isNextMonth = next.day == 1 && next.month == day.month + 1 && next.year == day.year
      let isNextYear = next.day == 1 && next.month == 1 && next.year == day.year + 1
      guard isNextDay || isNextMonth || isNextYear, next.weekday == (day.weekday + 1) % 7 else {
        return #expect(Bool(false), "\(next) after \(day)")
      }
      day = next
    }
    #expect(day.year == 2370 && day.month == 1 && day.day == 1)
  }

  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (1_999_999, "1970-01-01T00:00:00.001Z"),
      (-1, "1969-12-31T23:59:59.999Z"), (951_782_400_123_000_000, "2000-02-29T00:00:00.123Z"),
      (1_709_251_199_999_999_999, "2024-02-29T23:59:59.999Z"),
      (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000Z"),
      (.max, "2262-04-11T23:47:16.854Z"), (.min, "1677-09-21T00:12:43.145Z"),
    ] as [(Int64, String)])
  func `a timestamp has milliseconds and never lies in the future`(time: Int64, text: String) {
    #expect(Timestamp.rfc3339(nanoseconds: time) == text)
    var appended = Array("at ".utf8)
    Timestamp.append(nanoseconds: time, to: &appended)
    #expect(String(decoding: appended, as: UTF8.self) == "at " + text)
  }

  @Test func `a year of five digits is a bug in the caller`() async {
    await #expect(processExitsWith: .failure) {
      _ = HTTPDate.format(secondsSince1970: 253_402_300_800)
    }
  }
}
