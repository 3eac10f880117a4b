internal import ByteScan
internal import CUnicode
internal import Iconv

/// A character set as mail names it (RFC 2046 section 4.1.2, RFC 2978). The common ones are known here; those of more than one byte per
/// character are the C library's (`Iconv`).
package enum Charset: Equatable, Sendable {
    /// UTF-8 and US-ASCII; also what nobody knows, of which at least the ASCII can be read.
    case utf8, unknown
    case table(Table)
    case library(Library)

    /// One byte per character; numbered as in tools/charset-tables.py.
    package enum Table: UInt32, CaseIterable, Sendable {
        case windows1252, latin2, latin3, latin4, cyrillic, arabic, greek, hebrew, windows1254, latin6, latin7, latin8, latin9, latin10,
            windows1250, windows1251, windows1253, windows1255, windows1256, windows1257, windows1258, windows874, koi8R, koi8U, macRoman,
            macCyrillic, macGreek, macCentral, macTurkish, cp437, cp737, cp775, cp850, cp852, cp855, cp857, cp858, cp860, cp861, cp862,
            cp863, cp865, cp866, cp869, kz1048, hpRoman8
    }

    /// By the C library's name. Where one set is contained in a newer one, the newer one: senders name the old and use the new.
    package enum Library: String, CaseIterable, Sendable {
        case gb18030 = "GB18030"
        case big5 = "BIG5-HKSCS"
        case eucTW = "EUC-TW"
        case shiftJIS = "CP932"
        case eucJP = "EUC-JP-MS"
        case iso2022JP = "ISO-2022-JP-2"
        case korean = "UHC"
        case iso2022KR = "ISO-2022-KR"
        case utf7 = "UTF-7"
        case utf16 = "UTF-16"
        case utf16BE = "UTF-16BE"
        case utf16LE = "UTF-16LE"
        case utf32 = "UTF-32"

        /// Bytes of the least character.
        var unit: Int {
            switch self {
            case .utf16, .utf16BE, .utf16LE: 2
            case .utf32: 4
            default: 1
            }
        }
    }

    /// By its name or one of its other names, in any case.
    package init(_ name: some Collection<UInt8>) {
        var label: [UInt8] = []
        // Signs between letters and numbers are written in every way.
        for byte in name.prefix(40) where byte > 0x2f && byte != 0x3a && byte != 0x5f { label.append(byte.lower) }
        self = Self.names[String(decoding: label, as: UTF8.self)] ?? .unknown
    }

    /// Loads what the C library keeps in modules, so that this process and those that it forks need no file for it later.
    /// Answers how many sets could be loaded.
    package static func preload() -> Int { Iconv.preload(Library.allCases.map(\.rawValue)) }

    /// The UTF-8 of a text that is in memory as a whole.
    package func decode(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var decoder = CharsetDecoder(self)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        decoder.convert(bytes, into: &output)
        decoder.finish(into: &output)
        return output
    }

    private static let names: [String: Charset] = {
        var names: [String: Charset] = [:]
        func add(_ charset: Charset, _ labels: String) { for label in labels.split(separator: " ") { names[String(label)] = charset } }
        add(.utf8, "utf8 usascii ascii ansix341968 iso646us us unicode11utf8 utf8mb4 cp65001 7bit 8bit")
        for (table, labels) in tableNames { add(.table(table), labels) }
        for (library, labels) in libraryNames { add(.library(library), labels) }
        return names
    }()

    /// Labels without their signs. ISO 8859-1 and -9 are read as the Windows sets that contain them (as browsers do).
    private static let tableNames: [(Table, String)] = [
        (.windows1252, "iso88591 latin1 l1 iso885911987 isoir100 cp819 ibm819 windows1252 cp1252 xcp1252 ansi"),
        (.latin2, "iso88592 latin2 l2 iso885921987 isoir101"), (.latin3, "iso88593 latin3 l3 iso885931988 isoir109"),
        (.latin4, "iso88594 latin4 l4 iso885941988 isoir110"), (.cyrillic, "iso88595 cyrillic iso885951988 isoir144"),
        (.arabic, "iso88596 arabic iso885961987 isoir127 iso88596i iso88596e asmo708 ecma114"),
        (.greek, "iso88597 greek greek8 iso885971987 isoir126 elot928 ecma118"),
        (.hebrew, "iso88598 hebrew iso885981988 isoir138 iso88598i iso88598e"),
        (.windows1254, "iso88599 latin5 l5 iso885991989 isoir148 windows1254 cp1254 xcp1254"),
        (.latin6, "iso885910 latin6 l6 iso8859101992 isoir157"), (.latin7, "iso885913 latin7 l7"), (.latin8, "iso885914 latin8 l8"),
        (.latin9, "iso885915 latin9 latin0 l9"), (.latin10, "iso885916 latin10 l10"), (.windows1250, "windows1250 cp1250 xcp1250"),
        (.windows1251, "windows1251 cp1251 xcp1251"), (.windows1253, "windows1253 cp1253 xcp1253"),
        (.windows1255, "windows1255 cp1255 xcp1255"), (.windows1256, "windows1256 cp1256 xcp1256"),
        (.windows1257, "windows1257 cp1257 xcp1257"), (.windows1258, "windows1258 cp1258 xcp1258"),
        (.windows874, "windows874 cp874 tis620 iso885911 dos874 tis62025331"), (.koi8R, "koi8r koi8 koi cskoi8r"),
        (.koi8U, "koi8u koi8ru"), (.macRoman, "macintosh macroman mac xmacroman"), (.macCyrillic, "maccyrillic xmaccyrillic xmacukrainian"),
        (.macGreek, "macgreek xmacgreek"), (.macCentral, "maccentraleurope maclatin2 xmacce"), (.macTurkish, "macturkish xmacturkish"),
        (.cp437, "cp437 ibm437 437"), (.cp737, "cp737 ibm737"), (.cp775, "cp775 ibm775"), (.cp850, "cp850 ibm850 850"),
        (.cp852, "cp852 ibm852 852"), (.cp855, "cp855 ibm855 855"), (.cp857, "cp857 ibm857 857"), (.cp858, "cp858 ibm858 ibm00858"),
        (.cp860, "cp860 ibm860 860"), (.cp861, "cp861 ibm861 861"), (.cp862, "cp862 ibm862 862"), (.cp863, "cp863 ibm863 863"),
        (.cp865, "cp865 ibm865 865"), (.cp866, "cp866 ibm866 866"), (.cp869, "cp869 ibm869 869"), (.kz1048, "kz1048 strk10482002 rk1048"),
        (.hpRoman8, "hproman8 roman8 r8"),
    ]

    private static let libraryNames: [(Library, String)] = [
        (.gb18030, "gb2312 gb231280 gbk gb18030 cp936 ms936 windows936 euccn chinese xgbk csgb2312 isoir58"),
        (.big5, "big5 big5hkscs cp950 windows950 xxbig5 cnbig5 csbig5 big5eten"), (.eucTW, "euctw"),
        (.shiftJIS, "shiftjis sjis mskanji cp932 windows31j csshiftjis xsjis ms932 windows932"),
        (.eucJP, "eucjp xeucjp eucjpms cp51932 ujis"), (.iso2022JP, "iso2022jp iso2022jp1 iso2022jp2 csiso2022jp"),
        (.korean, "euckr ksc56011987 ksc56011989 ksc5601 korean cp949 uhc windows949 isoir149 cseuckr ms949"),
        (.iso2022KR, "iso2022kr csiso2022kr"), (.utf7, "utf7 unicode11utf7 csunicode11utf7"), (.utf16, "utf16 unicode ucs2 iso10646ucs2"),
        (.utf16BE, "utf16be unicodefffe"), (.utf16LE, "utf16le"), (.utf32, "utf32 ucs4 iso10646ucs4"),
    ]
}

/// Turns text that comes in pieces into UTF-8 that is always valid: what means nothing becomes U+FFFD.
package struct CharsetDecoder {
    private enum State {
        case utf8(UTF8Repair)
        case table(UInt32)
        case library(Iconv)
    }
    private var state: State

    package init(_ charset: Charset) {
        switch charset {
        case .utf8, .unknown: state = .utf8(UTF8Repair())
        case .table(let table): state = .table(table.rawValue)
        case .library(let library):
            // Where the C library lacks the set, its ASCII is left.
            if let converter = Iconv(library.rawValue, unit: library.unit) {
                state = .library(converter)
            } else {
                state = .utf8(UTF8Repair())
            }
        }
    }

    package mutating func convert(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        switch state {
        case .utf8(var repair):
            repair.convert(bytes, into: &output)
            state = .utf8(repair)
        case .table(let number):
            var rest = bytes
            while !rest.isEmpty {
                let end = ByteScan.firstNonASCII(in: rest) ?? rest.endIndex
                output.append(contentsOf: rest[..<end])
                rest = rest[end...]
                guard let byte = rest.popFirst() else { break }
                Self.append(cu_charset_scalar(number, byte), &output)
            }
        case .library(let converter): converter.convert(bytes, into: &output)
        }
    }

    /// The text ended, perhaps in the middle of a character.
    package mutating func finish(into output: inout [UInt8]) {
        switch state {
        case .utf8(var repair):
            repair.finish(into: &output)
            state = .utf8(repair)
        case .table: break
        case .library(let converter): converter.finish(into: &output)
        }
    }

    private static func append(_ scalar: UInt16, _ output: inout [UInt8]) {
        guard let scalar = Unicode.Scalar(scalar), let encoded = UTF8.encode(scalar) else { return }
        output.append(contentsOf: encoded)
    }
}

/// Lets UTF-8 through and puts U+FFFD in place of everything else (RFC 3629: no overlong forms, no surrogates).
struct UTF8Repair {
    /// The beginning of a character.
    private var held: [UInt8] = []

    mutating func convert(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if held.isEmpty {
                let start = index
                index = ByteScan.firstNonASCII(in: bytes[index...]) ?? bytes.endIndex
                output.append(contentsOf: bytes[start..<index])
                guard index < bytes.endIndex else { return }
            }
            index += take(bytes[index], &output) ? 1 : 0
        }
    }

    mutating func finish(into output: inout [UInt8]) {
        if !held.isEmpty { Self.replace(&output) }
        held.removeAll(keepingCapacity: true)
    }

    /// False when the byte does not go on with what is held and must be looked at again.
    private mutating func take(_ byte: UInt8, _ output: inout [UInt8]) -> Bool {
        guard let first = held.first else {
            if byte < 0x80 {
                output.append(byte)
            } else if byte >= 0xc2, byte <= 0xf4 {
                held.append(byte)
            } else {
                Self.replace(&output)
            }
            return true
        }
        guard Self.mayFollow(byte, first, isSecond: held.count == 1) else {
            finish(into: &output)
            return false
        }
        held.append(byte)
        if held.count == (first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4) {
            output.append(contentsOf: held)
            held.removeAll(keepingCapacity: true)
        }
        return true
    }

    private static func mayFollow(_ byte: UInt8, _ first: UInt8, isSecond: Bool) -> Bool {
        guard byte & 0xc0 == 0x80 else { return false }
        guard isSecond else { return true }
        return switch first {
        case 0xe0: byte >= 0xa0
        case 0xed: byte < 0xa0
        case 0xf0: byte >= 0x90
        case 0xf4: byte < 0x90
        default: true
        }
    }

    private static func replace(_ output: inout [UInt8]) { output.append(contentsOf: [0xef, 0xbf, 0xbd]) }
}
