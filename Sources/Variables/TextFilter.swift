/// What modifiers and filters do to bytes.
enum TextFilter {
    static func lower(_ text: [UInt8]) -> [UInt8] { text.map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 } }

    static func upper(_ text: [UInt8]) -> [UInt8] { text.map { $0 >= 0x61 && $0 <= 0x7a ? $0 & 0xdf : $0 } }

    /// A backslash before quotes and backslashes.
    static func escape(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        for byte in text {
            if byte == 0x22 || byte == 0x27 || byte == 0x5c { result.append(0x5c) }
            result.append(byte)
        }
        return result
    }

    static func trim(_ text: [UInt8]) -> [UInt8] {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || ($0 >= 0x09 && $0 <= 0x0d) }
        let front = text.drop(while: isBlank)
        guard let last = front.lastIndex(where: { !isBlank($0) }) else { return [] }
        return Array(front[...last])
    }

    /// `a.b` becomes `a,dc=b`.
    static func distinguishedName(_ text: [UInt8]) -> [UInt8] {
        text.flatMap { $0 == UInt8(ascii: ".") ? Array(",dc=".utf8) : [$0] }
    }

    static func hexadecimal(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    /// A decimal number written in hexadecimal; 0 if it is none.
    static func hexNumber(_ text: [UInt8]) -> [UInt8] {
        Array(String(UInt64(String(decoding: text, as: UTF8.self)) ?? 0, radix: 16).utf8)
    }

    /// The number that the first eight bytes of the MD5 make, modulo something, in at least `digits` hexadecimal digits.
    static func hash(_ text: [UInt8], modulo: UInt64, digits: Int) -> [UInt8] {
        let number = MD5.digest(text).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let value = modulo == 0 ? number & 0xffff_ffff : number % modulo
        let written = Array(String(value, radix: 16).utf8)
        return Array(repeating: UInt8(ascii: "0"), count: max(0, digits - written.count)) + written
    }

    /// `substr(offset, length)`: negative numbers count from the end.
    static func substring(_ text: [UInt8], offset: Int, length: Int?) -> [UInt8] {
        let start = offset >= 0 ? min(offset, text.count) : max(0, text.count - offset.magnitude.clampedInt)
        let rest = text[start...]
        guard let length else { return Array(rest) }
        return Array(length >= 0 ? rest.prefix(length) : rest.dropLast(length.magnitude.clampedInt))
    }
}

extension UInt {
    var clampedInt: Int { Int(clamping: self) }
}

/// Comparisons of `%{if}`, in both notations.
enum Comparison {
    static func isKnown(_ word: String) -> Bool {
        ["==", "!=", "<", "<=", ">", ">=", "eq", "ne", "lt", "le", "gt", "ge", "*", "!*"].contains(word)
    }

    static func holds(_ a: String, _ word: String, _ b: String) throws(TemplateError) -> Bool {
        switch word {
        case "eq": return a == b
        case "ne": return a != b
        case "lt": return a < b
        case "le": return a <= b
        case "gt": return a > b
        case "ge": return a >= b
        case "*": return matches(Array(a.utf8), pattern: Array(b.utf8))
        case "!*": return !matches(Array(a.utf8), pattern: Array(b.utf8))
        default: break
        }
        guard let left = Int64(a), let right = Int64(b) else {
            throw TemplateError(offset: nil, message: "'\(word)' compares numbers, got '\(a)' and '\(b)'")
        }
        switch word {
        case "==": return left == right
        case "!=": return left != right
        case "<": return left < right
        case "<=": return left <= right
        case ">": return left > right
        case ">=": return left >= right
        default: throw TemplateError(offset: nil, message: "unknown comparison '\(word)'")
        }
    }

    /// Wildcards `*` and `?`, in time proportional to the product of both lengths at most.
    static func matches(_ text: [UInt8], pattern: [UInt8]) -> Bool {
        var (t, p) = (0, 0)
        var retry: (text: Int, pattern: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                retry = (t, p)
                p += 1
            } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == text[t] {
                t += 1
                p += 1
            } else if let last = retry {
                retry = (last.text + 1, last.pattern)
                t = last.text + 1
                p = last.pattern + 1
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
