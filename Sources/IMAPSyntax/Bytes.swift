/// A set of ASCII characters, two words wide: one test per byte without a table in memory.
package struct ASCIISet: Sendable {
    let low: UInt64
    let high: UInt64

    /// All of `from`…`through` but `except`.
    init(from: UInt8 = 0x21, through: UInt8 = 0x7e, except: String = "") {
        var low: UInt64 = 0
        var high: UInt64 = 0
        for byte in from...through where !except.utf8.contains(byte) {
            if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte & 63) }
        }
        self.low = low
        self.high = high
    }

    @inline(__always)
    package func contains(_ byte: UInt8) -> Bool {
        if byte < 64 { return low >> UInt64(byte) & 1 == 1 }
        return byte < 128 && high >> UInt64(byte & 63) & 1 == 1
    }

    // atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials / resp-specials
    package static let atom = ASCIISet(except: "(){%*\"\\]")
    // ASTRING-CHAR = ATOM-CHAR / resp-specials
    package static let astring = ASCIISet(except: "(){%*\"\\")
    // tag = 1*<any ASTRING-CHAR except "+">
    package static let tag = ASCIISet(except: "(){%*\"\\+")
    // list-char = ATOM-CHAR / list-wildcards / resp-specials
    package static let list = ASCIISet(except: "(){\"\\")
    // base64 = *(4base64-char) [base64-terminal]
    package static let base64: ASCIISet = ASCIISet(except: "!\"#$%&'()*,-.:;<>?@[\\]^_`{|}~")
    // objectid = 1*255(ALPHA / DIGIT / "_" / "-")
    package static let objectID: ASCIISet = ASCIISet(except: "!\"#$%&'()*+,./:;<=>?@[\\]^`{|}~")
    // header-fld-name without the specials of IMAP
    package static let headerName = ASCIISet(except: ":")
}

extension UInt8 {
    /// The byte in upper case, if it is an ASCII letter.
    @inline(__always) var upper: UInt8 { self >= 0x61 && self <= 0x7a ? self & 0xdf : self }
    @inline(__always) var isDigit: Bool { self >= 0x30 && self <= 0x39 }
}

extension Collection<UInt8> {
    /// Whether these bytes are this word in any case; `word` is written in upper case.
    @inline(__always)
    package func isWord(_ word: String) -> Bool {
        let letters = word.utf8
        guard count == letters.count else { return false }
        var index = startIndex
        for letter in letters {
            if self[index].upper != letter { return false }
            formIndex(after: &index)
        }
        return true
    }
}
