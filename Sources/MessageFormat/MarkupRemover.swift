/// Takes the text out of HTML that comes in pieces. No parser of HTML: enough for a preview, and linear.
struct MarkupRemover {
    private enum Mode {
        case text, entity, tag
        /// In the value of an attribute that began with this quote.
        case quote(UInt8)
        case comment
    }
    private var mode = Mode.text
    /// Name of the tag, name of the entity, or the last bytes of a comment.
    private var word: [UInt8] = []
    /// The tag's name is complete.
    private var isNamed = false
    /// Everything up to the end of this element is no text.
    private var hidden: [UInt8]?

    private static let longestWord = 16

    mutating func convert(_ bytes: [UInt8], into output: inout [UInt8]) {
        for byte in bytes { take(byte, &output) }
    }

    private mutating func take(_ byte: UInt8, _ output: inout [UInt8]) {
        switch mode {
        case .text:
            switch byte {
            case 0x3c: begin(.tag)
            case 0x26 where hidden == nil: begin(.entity)
            default: if hidden == nil { output.append(byte) }
            }
        case .entity: entity(byte, &output)
        case .tag: tag(byte, &output)
        case .quote(let quote): if byte == quote { mode = .tag }
        case .comment:
            if byte == 0x3e, word.suffix(2) == [0x2d, 0x2d] { mode = .text }
            word = word.suffix(1) + [byte]
        }
    }

    private mutating func begin(_ next: Mode) {
        mode = next
        word.removeAll(keepingCapacity: true)
        isNamed = false
    }

    private mutating func tag(_ byte: UInt8, _ output: inout [UInt8]) {
        switch byte {
        case 0x3e:
            mode = .text
            endTag(&output)
        case _ where hidden != nil && byte == 0x3c: begin(.tag)  // scripts compare
        case _ where isNamed:
            if hidden == nil, byte == 0x22 || byte == 0x27 { mode = .quote(byte) }
        case 0x21...0x7f where word.isEmpty ? Self.beginsTag(byte) : word.count < Self.longestWord && byte != 0x2f:
            word.append(byte.lower)
            if word == Array("!--".utf8) { begin(.comment) }
        default:
            // A sign that begins no tag.
            if word.isEmpty {
                mode = .text
                if hidden == nil { output.append(0x3c) }
                take(byte, &output)
            } else {
                isNamed = true
            }
        }
    }

    /// A letter, `/`, `!` or `?`; anything else after `<` is text.
    private static func beginsTag(_ byte: UInt8) -> Bool {
        byte.lower >= 0x61 && byte.lower <= 0x7a || byte == 0x2f || byte == 0x21 || byte == 0x3f
    }

    private mutating func endTag(_ output: inout [UInt8]) {
        if let element = hidden {
            if word.first == 0x2f, word.dropFirst() == element[...] { hidden = nil }
            return
        }
        let name = String(decoding: word.first == 0x2f ? word[1...] : word[...], as: UTF8.self)
        if word.first != 0x2f, Self.hiddenElements.contains(name) { hidden = word }
        if !Self.inlineElements.contains(name) { output.append(0x20) }
    }

    private static let hiddenElements: Set<String> = ["script", "style", "head", "title", "template", "noscript"]
    private static let inlineElements: Set<String> = [
        "a", "abbr", "b", "bdi", "big", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "mark", "o:p", "q", "s", "samp", "small",
        "span",
        "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr",
    ]

    private mutating func entity(_ byte: UInt8, _ output: inout [UInt8]) {
        if byte == 0x3b {
            mode = .text
            if let scalar = scalar, let encoded = UTF8.encode(scalar) {
                output.append(contentsOf: encoded)
            } else {
                output += [0x26] + word + [0x3b]
            }
        } else if word.count < 10, byte == 0x23 || byte.isDigit || byte.lower >= 0x61 && byte.lower <= 0x7a {
            word.append(byte)
        } else {
            // A bare ampersand.
            output += [0x26] + word
            mode = .text
            take(byte, &output)
        }
    }

    /// What the entity in `word` stands for.
    private var scalar: Unicode.Scalar? {
        let name = String(decoding: word, as: UTF8.self)
        if let number = Self.names[name] { return Unicode.Scalar(number) }
        guard name.hasPrefix("#") else { return nil }
        let digits = name.dropFirst()
        let isHexadecimal = digits.hasPrefix("x") || digits.hasPrefix("X")
        let number = isHexadecimal ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        return number.flatMap { $0 == 0 ? nil : Unicode.Scalar($0) }
    }

    private static let names: [String: UInt32] = [
        "amp": 0x26, "lt": 0x3c, "gt": 0x3e, "quot": 0x22, "apos": 0x27, "nbsp": 0xa0, "iexcl": 0xa1, "cent": 0xa2, "pound": 0xa3,
        "yen": 0xa5, "sect": 0xa7, "copy": 0xa9, "laquo": 0xab, "shy": 0xad, "reg": 0xae, "deg": 0xb0, "middot": 0xb7, "raquo": 0xbb,
        "iquest": 0xbf, "Agrave": 0xc0, "Aacute": 0xc1, "Acirc": 0xc2, "Atilde": 0xc3, "Auml": 0xc4, "Aring": 0xc5, "AElig": 0xc6,
        "Ccedil": 0xc7, "Egrave": 0xc8, "Eacute": 0xc9, "Ecirc": 0xca, "Euml": 0xcb, "Iacute": 0xcd, "Ntilde": 0xd1, "Oacute": 0xd3,
        "Ouml": 0xd6, "Oslash": 0xd8, "Uacute": 0xda, "Uuml": 0xdc, "szlig": 0xdf, "agrave": 0xe0, "aacute": 0xe1, "acirc": 0xe2,
        "atilde": 0xe3, "auml": 0xe4, "aring": 0xe5, "aelig": 0xe6, "ccedil": 0xe7, "egrave": 0xe8, "eacute": 0xe9, "ecirc": 0xea,
        "euml": 0xeb, "igrave": 0xec, "iacute": 0xed, "icirc": 0xee, "iuml": 0xef, "ntilde": 0xf1, "ograve": 0xf2, "oacute": 0xf3,
        "ocirc": 0xf4, "otilde": 0xf5, "ouml": 0xf6, "oslash": 0xf8, "ugrave": 0xf9, "uacute": 0xfa, "ucirc": 0xfb, "uuml": 0xfc,
        "ndash": 0x2013, "mdash": 0x2014, "lsquo": 0x2018, "rsquo": 0x2019, "sbquo": 0x201a, "ldquo": 0x201c, "rdquo": 0x201d,
        "bdquo": 0x201e, "bull": 0x2022, "hellip": 0x2026, "euro": 0x20ac, "trade": 0x2122, "zwnj": 0x200c, "zwj": 0x200d,
    ]
}
