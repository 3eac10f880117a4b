/// A line for the log in which no foreign byte is raw: interpolated texts lose control characters, bidi marks and what is over 200 bytes.
///
/// `log.info("user \(name) left")`: the literal parts are ours, `name` may come from anybody.
package struct LogText: ExpressibleByStringInterpolation, Sendable {
    /// Longest foreign value, in bytes.
    package static let maximumValue = 200
    /// Longest line, in bytes (the frame's limit).
    package static let maximumLine = 1024

    package let text: String

    package init(stringLiteral value: String) { text = value }
    package init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

    /// A text of our own making that already went through a LogText, or that holds no foreign bytes.
    package init(trusted text: String) { self.text = text }

    /// A foreign text of up to a whole line.
    package init(untrusted text: String) { self.text = Self.cleaned(text, limit: Self.maximumLine) }

    package struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }
        package mutating func appendLiteral(_ literal: String) { text += literal }
        package mutating func appendInterpolation(_ value: String) { text += LogText.cleaned(value, limit: LogText.maximumValue) }
        package mutating func appendInterpolation(_ value: some BinaryInteger) { text += String(value) }
        package mutating func appendInterpolation(_ value: LogText) { text += value.text }
        /// Errors describe themselves in our own words.
        package mutating func appendInterpolation(_ value: some Error & CustomStringConvertible) {
            text += LogText.cleaned(value.description, limit: LogText.maximumLine)
        }
    }

    private static func cleaned(_ value: String, limit: Int) -> String {
        var result = ""
        var size = 0
        for scalar in value.unicodeScalars {
            size += UTF8.width(scalar)
            if size > limit { return result + "…" }
            result.unicodeScalars.append(isPrintable(scalar) ? scalar : "?")
        }
        return result
    }

    /// Not: C0 and C1 controls, line and paragraph separators, bidi marks and overrides, replacement of invalid UTF-8.
    static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff, 0xfffd: false
        default: true
        }
    }
}

extension FixedWidthInteger {
    /// Decimal with leading zeros, for times in log lines.
    package func padded(_ width: Int) -> String {
        let digits = String(self)
        return String(repeating: "0", count: Swift.max(0, width - digits.utf8.count)) + digits
    }
}
