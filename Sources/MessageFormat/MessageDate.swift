/// The moment of a Date field (RFC 5322 section 3.3 and 4.3), as it was written.
package struct MessageDate: Equatable, Sendable {
    /// Seconds since 1970, UTC.
    package var unixSeconds: Int64
    package var zoneMinutes: Int
    /// The day in the sender's zone, as days since 1970: what SENTON and its like compare.
    package var localDay: Int64

    // date-time = [day-of-week ","] date time [CFWS] ; date = day month year
    // time = hour ":" minute [":" second] FWS zone
    /// Nil for what is no date; a missing zone counts as UTC, two digits of a year as 1950…2049.
    package init?(_ field: [UInt8]) {
        var words = Words(field)
        if let first = words.peek, !first.isDigit { _ = words.letters() }
        words.skip(0x2c)
        guard let day = words.number(), let month = Self.month(words.letters()), let written = words.number() else { return nil }
        let year = written < 50 ? written + 2_000 : written < 1_000 ? written + 1_900 : written
        guard let days = Self.days(year: year, month: month, day: day) else { return nil }
        var seconds = 0
        if let hour = words.number(), words.skip(0x3a), let minute = words.number() {
            let second = words.skip(0x3a) ? words.number() ?? 0 : 0
            guard hour < 24, minute < 60, second <= 60 else { return nil }
            seconds = hour * 3_600 + minute * 60 + second
        }
        zoneMinutes = words.zone()
        localDay = days
        unixSeconds = days * 86_400 + Int64(seconds - zoneMinutes * 60)
    }

    private static func month(_ name: ArraySlice<UInt8>) -> Int? {
        let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        return names.firstIndex { name.prefix(3).isName($0) }.map { $0 + 1 }
    }

    private static func days(year: Int, month: Int, day: Int) -> Int64? {
        let lengths = [31, year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1_900...9_999).contains(year), day >= 1, day <= lengths[month - 1] else { return nil }
        let before = year - 1
        let leapDays = before / 4 - before / 100 + before / 400 - 477
        return Int64((year - 1_970) * 365 + leapDays + lengths[..<(month - 1)].reduce(0, +) + day - 1)
    }

    /// Words and numbers with blanks, comments and - between them.
    private struct Words {
        let bytes: [UInt8]
        var index = 0

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            skipBlanks()
        }

        var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

        mutating func skipBlanks() {
            var depth = 0
            while let byte = peek, depth > 0 || byte <= 0x20 || byte == 0x28 {
                if byte == 0x28 { depth += 1 } else if byte == 0x29 { depth -= 1 }
                index += 1
            }
        }

        @discardableResult
        mutating func skip(_ wanted: UInt8) -> Bool {
            guard peek == wanted else { return false }
            index += 1
            skipBlanks()
            return true
        }

        mutating func letters() -> ArraySlice<UInt8> {
            skip(0x2d)
            let start = index
            while let byte = peek, byte.lower >= 0x61, byte.lower <= 0x7a { index += 1 }
            let word = bytes[start..<index]
            if peek == 0x2e { index += 1 }
            skipBlanks()
            return word
        }

        mutating func number() -> Int? {
            skip(0x2d)
            var value = 0
            var count = 0
            while let byte = peek, byte.isDigit {
                guard count < 4 else { return nil }
                value = value * 10 + Int(byte - 0x30)
                count += 1
                index += 1
            }
            skipBlanks()
            return count > 0 ? value : nil
        }

        // zone = (FWS ("+" / "-") 4DIGIT) / obs-zone
        mutating func zone() -> Int {
            if let sign = peek, sign == 0x2b || sign == 0x2d {
                index += 1
                let digits = bytes[index...].prefix(4)
                guard digits.count == 4, digits.allSatisfy(\.isDigit) else { return 0 }
                let value = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
                let minutes = value / 100 * 60 + value % 100
                return minutes >= 24 * 60 ? 0 : sign == 0x2d ? -minutes : minutes
            }
            let name = letters()
            let american: [(String, Int)] = [
                ("est", -300), ("edt", -240), ("cst", -360), ("cdt", -300), ("mst", -420), ("mdt", -360), ("pst", -480), ("pdt", -420),
            ]
            return american.first { name.isName($0.0) }?.1 ?? 0
        }
    }
}
