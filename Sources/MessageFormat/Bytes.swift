extension UInt8 {
    @inline(__always) var isBlank: Bool { self == 0x20 || self == 0x09 }
    @inline(__always) var isDigit: Bool { self >= 0x30 && self <= 0x39 }
    @inlinable @inline(__always) package var lower: UInt8 { self >= 0x41 && self <= 0x5a ? self | 0x20 : self }
}

extension Collection<UInt8> {
    /// Whether these bytes are this word in any ASCII case; `word` is written in lower case.
    @inlinable @inline(__always)
    package func isName(_ word: String) -> Bool {
        let letters = word.utf8
        guard count == letters.count else { return false }
        var index = startIndex
        for letter in letters {
            if self[index].lower != letter { return false }
            formIndex(after: &index)
        }
        return true
    }

    /// Whether these bytes are the others in any ASCII case.
    @inlinable
    package func isName(_ other: some Collection<UInt8>) -> Bool {
        count == other.count && zip(self, other).allSatisfy { $0.lower == $1.lower }
    }
}

extension ArraySlice<UInt8> {
    /// Without blanks and line ends on both sides.
    package var trimmed: ArraySlice<UInt8> {
        var slice = self
        while let first = slice.first, first.isBlank || first == 0x0d || first == 0x0a { slice = slice.dropFirst() }
        while let last = slice.last, last.isBlank || last == 0x0d || last == 0x0a { slice = slice.dropLast() }
        return slice
    }
}
