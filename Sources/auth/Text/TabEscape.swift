internal import Base64

/// The escaping of Dovecot's text protocols: a parameter holds neither TAB nor line ends (auth.md 2).
enum TabEscape {
    private static let mark: UInt8 = 1

    /// Appends a value in its escaped form.
    static func append(_ value: some Sequence<UInt8>, to line: inout [UInt8]) {
        for byte in value {
            switch byte {
            case 0: line += [mark, UInt8(ascii: "0")]
            case mark: line += [mark, UInt8(ascii: "1")]
            case 0x09: line += [mark, UInt8(ascii: "t")]
            case 0x0D: line += [mark, UInt8(ascii: "r")]
            case 0x0A: line += [mark, UInt8(ascii: "n")]
            default: line.append(byte)
            }
        }
    }

    // escaped = *( byte / %x01 ( "0" / "1" / "t" / "r" / "n" / other ) )
    /// An unknown second character stands for itself; a mark at the end is dropped.
    static func decode(_ text: some Sequence<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var isMarked = false
        for byte in text {
            guard isMarked else {
                if byte == mark { isMarked = true } else { bytes.append(byte) }
                continue
            }
            isMarked = false
            switch byte {
            case UInt8(ascii: "0"): bytes.append(0)
            case UInt8(ascii: "1"): bytes.append(mark)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            default: bytes.append(byte)
            }
        }
        return bytes
    }
}

/// One line of a text protocol, made of a word and parameters.
struct TextLine {
    private(set) var bytes: [UInt8]

    init(_ word: String) { bytes = Array(word.utf8) }

    mutating func add(_ parameter: String) {
        bytes.append(0x09)
        TabEscape.append(parameter.utf8, to: &bytes)
    }

    /// `name=value`; a nil value gives the bare name.
    mutating func add(_ name: String, _ value: String?) {
        bytes.append(0x09)
        TabEscape.append(name.utf8, to: &bytes)
        guard let value else { return }
        bytes.append(UInt8(ascii: "="))
        TabEscape.append(value.utf8, to: &bytes)
    }

    mutating func add(base64 data: [UInt8]) { bytes += [0x09] + Base64.encode(data) }

    mutating func add(_ name: String, base64 data: [UInt8]) {
        bytes.append(0x09)
        bytes += name.utf8
        bytes += [UInt8(ascii: "=")] + Base64.encode(data)
    }

    mutating func add(_ name: String, bytes value: [UInt8]) {
        bytes.append(0x09)
        TabEscape.append(name.utf8, to: &bytes)
        bytes.append(UInt8(ascii: "="))
        TabEscape.append(value, to: &bytes)
    }

    var finished: [UInt8] { bytes + [0x0A] }
}
