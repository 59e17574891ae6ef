/// A second of the proleptic Gregorian calendar in UTC, without leap seconds, as POSIX counts them.
struct CivilTime: Equatable {
  var year: Int
  var month: Int
  var day: Int
  var hour: Int
  var minute: Int
  var second: Int

  /// 0 is Sunday.
  var weekday: Int

  static let daySeconds: Int64 = 86_400

  /// Counts in eras of 400 years that begin on 1 March, so that the leap day is a year's last.
  init(secondsSince1970 seconds: Int64) {
    let (days, rest) = Self.divide(seconds, by: Self.daySeconds)
    (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60)
    weekday = Self.divide(days + 4, by: 7).remainder
    let (era, dayOfEra) = Self.divide(days + 719_468, by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shifted + 2) / 5 + 1
    month = shifted < 10 ? shifted + 3 : shifted - 9
    year = yearOfEra + Int(era) * 400 + (month <= 2 ? 1 : 0)
  }

  /// The inverse for dates within the calendar; others give a second whose date differs.
  static func secondsSince1970(
    year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int
  ) -> Int64 {
    let shiftedYear = Int64(month <= 2 ? year - 1 : year)
    let (era, yearOfEra) = divide(shiftedYear, by: 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let days = era * 146_097 + Int64(dayOfEra) - 719_468
    return days * daySeconds + Int64(hour * 3600 + minute * 60 + second)
  }

  /// Division that rounds down, also before 1970.
  static func divide(_ number: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int) {
    let (quotient, remainder) = number.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, Int(remainder + divisor)) : (quotient, Int(remainder))
  }

  /// Appends the last `width` digits of `number`, which is not negative; up to four.
  @inline(__always) static func append(_ number: Int, width: Int, to text: inout [UInt8]) {
    let number = UInt(bitPattern: number)
    if width > 3 { text.append(digit(number / 1000)) }
    if width > 2 { text.append(digit(number / 100)) }
    if width > 1 { text.append(digit(number / 10)) }
    text.append(digit(number))
  }

  @inline(__always) private static func digit(_ number: UInt) -> UInt8 {
    UInt8(truncatingIfNeeded: 0x30 &+ number % 10)
  }
}
