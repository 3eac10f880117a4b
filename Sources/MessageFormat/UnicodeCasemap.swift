internal import ByteScan
internal import CUnicode

/// The collation i;unicode-casemap (RFC 5051): titlecase, then full decomposition. Texts are equal, contain each other and are ordered as
/// the bytes of their keys are. Takes UTF-8 in pieces; bytes that are none become U+FFFD.
package struct UnicodeCasemap: Sendable {
    /// The character at hand, and how many bytes of it are still to come.
    private var scalar: UInt32 = 0
    private var missing = 0
    /// Least value that the bytes seen so far may encode: overlong forms are no UTF-8.
    private var least: UInt32 = 0

    package init() {}

    /// The key of a whole text.
    package static func key(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var map = UnicodeCasemap()
        var key: [UInt8] = []
        key.reserveCapacity(text.count)
        map.convert(text, into: &key)
        map.finish(into: &key)
        return key
    }

    package static func key(_ text: [UInt8]) -> [UInt8] { key(text[...]) }

    /// Appends what a piece of a text adds to its key.
    package mutating func convert(_ bytes: ArraySlice<UInt8>, into key: inout [UInt8]) {
        if missing == 0, ByteScan.firstNonASCII(in: bytes) == nil { return ByteScan.appendUppercase(bytes, to: &key) }
        var rest = bytes
        while !rest.isEmpty {
            let end = ByteScan.firstNonASCII(in: rest) ?? rest.endIndex
            if end > rest.startIndex {
                if missing > 0 { finish(into: &key) }
                ByteScan.appendUppercase(rest[..<end], to: &key)
                rest = rest[end...]
            }
            while let byte = rest.first, byte >= 0x80 {
                take(byte, &key)
                rest = rest.dropFirst()
            }
        }
    }

    /// The text ended, perhaps in the middle of a character.
    package mutating func finish(into key: inout [UInt8]) {
        if missing > 0 { Self.replace(&key) }
        missing = 0
    }

    /// A byte that is not ASCII.
    private mutating func take(_ byte: UInt8, _ key: inout [UInt8]) {
        if byte < 0xc0 {
            guard missing > 0 else { return Self.replace(&key) }
            scalar = scalar << 6 | UInt32(byte & 0x3f)
            missing -= 1
            if missing == 0 { complete(&key) }
            return
        }
        finish(into: &key)
        switch byte {
        case 0xc2...0xdf: (scalar, missing, least) = (UInt32(byte & 0x1f), 1, 0x80)
        case 0xe0...0xef: (scalar, missing, least) = (UInt32(byte & 0x0f), 2, 0x800)
        case 0xf0...0xf4: (scalar, missing, least) = (UInt32(byte & 0x07), 3, 0x10000)
        default: Self.replace(&key)
        }
    }

    private func complete(_ key: inout [UInt8]) {
        guard scalar >= least, let character = Unicode.Scalar(scalar) else { return Self.replace(&key) }
        let place = cu_casemap(scalar)
        if place != 0 {
            for index in place >> 8..<place >> 8 + place & 0xff { key.append(cu_casemap_byte(index)) }
        } else if scalar >= 0xac00, scalar < 0xd7a4 {
            Self.hangul(scalar - 0xac00, &key)
        } else {
            Self.append(character, &key)
        }
    }

    /// A Hangul syllable as its two or three letters (Unicode 3.12).
    private static func hangul(_ index: UInt32, _ key: inout [UInt8]) {
        let letters = [0x1100 + index / 588, 0x1161 + index % 588 / 28, 0x11a7 + index % 28]
        for letter in letters where letter != 0x11a7 {
            if let scalar = Unicode.Scalar(letter) { append(scalar, &key) }
        }
    }

    private static func append(_ scalar: Unicode.Scalar, _ key: inout [UInt8]) {
        if let encoded = UTF8.encode(scalar) { key.append(contentsOf: encoded) }
    }

    private static func replace(_ key: inout [UInt8]) { key.append(contentsOf: [0xef, 0xbf, 0xbd]) }
}
