/// A day of the calendar as SEARCH names it: no time, no zone.
package struct CalendarDate: Equatable, Comparable, Sendable {
    /// Days since 1970-01-01, proleptic Gregorian calendar.
    package var daysSince1970: Int64

    /// Nil for a day that does not exist.
    package init?(year: Int, month: Int, day: Int) {
        guard (1...12).contains(month), day >= 1, day <= Self.length(ofMonth: month, year: year) else { return nil }
        // Days from civil: the year begins in March, so that the leap day is its last one.
        let shifted = Int64(month <= 2 ? year - 1 : year)
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * Int64(month > 2 ? month - 3 : month + 9) + 2) / 5 + Int64(day) - 1
        daysSince1970 = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    package init(daysSince1970: Int64) { self.daysSince1970 = daysSince1970 }

    /// Year, month and day of this date.
    package var civil: (year: Int, month: Int, day: Int) {
        let shifted = daysSince1970 + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        return (Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0), month, Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1))
    }

    package static func < (a: CalendarDate, b: CalendarDate) -> Bool { a.daysSince1970 < b.daysSince1970 }

    private static func length(ofMonth month: Int, year: Int) -> Int {
        if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
        return [4, 6, 9, 11].contains(month) ? 30 : 31
    }
}

/// A moment with the zone it was written in: INTERNALDATE.
package struct DateTime: Equatable, Sendable {
    /// Seconds since 1970, UTC.
    package var unixSeconds: Int64
    /// East of Greenwich, in minutes.
    package var zoneMinutes: Int

    package init(unixSeconds: Int64, zoneMinutes: Int = 0) {
        self.unixSeconds = unixSeconds
        self.zoneMinutes = zoneMinutes
    }
}

extension CommandParser {
    static let months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]

    // date = date-text / DQUOTE date-text DQUOTE
    // date-text = date-day "-" date-month "-" date-year ; date-day = 1*2DIGIT
    mutating func date() throws(SyntaxError) -> CalendarDate {
        let isQuoted = takeIf(0x22)
        let first = try digits(1)
        let day = (peek?.isDigit ?? false) ? first * 10 + (try digits(1)) : first
        let date = try monthAndYear(day: day)
        if isQuoted { try byte(0x22, "\"") }
        return date
    }

    // date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
    // date-day-fixed = (SP DIGIT) / 2DIGIT ; time = 2DIGIT ":" 2DIGIT ":" 2DIGIT ; zone = ("+" / "-") 4DIGIT
    mutating func dateTime() throws(SyntaxError) -> DateTime {
        try byte(0x22, "date and time")
        let date = try monthAndYear(day: takeIf(0x20) ? try digits(1) : try digits(2))
        try space()
        let hour = try digits(2)
        try byte(0x3a, ":")
        let minute = try digits(2)
        try byte(0x3a, ":")
        let second = try digits(2)
        try space()
        let isWest = takeIf(0x2d)
        if !isWest { try byte(0x2b, "zone") }
        let zone = (try digits(2) * 60 + (try digits(2))) * (isWest ? -1 : 1)
        try byte(0x22, "\"")
        guard hour < 24, minute < 60, second <= 60, abs(zone) < 24 * 60 else { throw .expected("time", at: index) }
        let seconds = date.daysSince1970 * 86_400 + Int64(hour * 3_600 + minute * 60 + second - zone * 60)
        return DateTime(unixSeconds: seconds, zoneMinutes: zone)
    }

    // date-month = "Jan" / "Feb" / … ; date-year = 4DIGIT
    private mutating func monthAndYear(day: Int) throws(SyntaxError) -> CalendarDate {
        try byte(0x2d, "-")
        let name = bytes[index...].prefix(3)
        guard let month = Self.months.firstIndex(where: { name.isWord($0) }) else { throw .expected("month", at: index) }
        index += 3
        try byte(0x2d, "-")
        guard let date = CalendarDate(year: try digits(4), month: month + 1, day: day) else { throw .expected("date", at: index) }
        return date
    }
}
