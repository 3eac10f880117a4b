/// The `subscriptions` file: names in storage form, part by part (reference/storage.md 7).
///
///     version 2:  "V" TAB "2" LF LF *( part *( TAB part ) LF )      ; parts tab-escaped
///     version 1:  *( name LF )                                      ; parts joined by the storage separator
struct SubscriptionFile {
    /// In the order of the file.
    private(set) var names: [[[UInt8]]] = []

    static let mark = Array("V\t2\n\n".utf8)

    init(_ text: [UInt8] = [], separator: UInt8) {
        let isVersion2 = text.starts(with: Array("V\t2\n".utf8))
        let lines = text.dropFirst(isVersion2 ? 4 : 0).split(separator: ASCII.lineFeed)
        var seen = Set<[[UInt8]]>()
        for line in lines {
            let parts = line.split(separator: isVersion2 ? 0x09 : separator, omittingEmptySubsequences: false)
                .map { isVersion2 ? TabEscape.decode($0) : Array($0) }
            // Nothing but an escape that stands for nothing: no name, and an empty line once it were written.
            guard parts != [[]] else { continue }
            if seen.insert(parts).inserted { names.append(parts) }
        }
    }

    mutating func insert(_ name: [[UInt8]]) -> Bool {
        if names.contains(name) { return false }
        names.append(name)
        return true
    }

    mutating func remove(_ name: [[UInt8]]) -> Bool {
        guard let index = names.firstIndex(of: name) else { return false }
        names.remove(at: index)
        return true
    }

    var text: [UInt8] {
        var output = Self.mark
        for name in names {
            output.append(contentsOf: name.map(TabEscape.encode).joined(separator: [0x09]))
            output.append(ASCII.lineFeed)
        }
        return output
    }
}

/// Escapes the bytes that end fields and lines: NUL, SOH, TAB, LF and CR become SOH and a character.
enum TabEscape {
    private static let pairs: [(UInt8, UInt8)] = [(0x00, 0x30), (0x01, 0x31), (0x09, 0x74), (0x0d, 0x72), (0x0a, 0x6e)]

    static func encode(_ text: [UInt8]) -> [UInt8] {
        text.flatMap { byte in pairs.first { $0.0 == byte }.map { [0x01, $0.1] } ?? [byte] }
    }

    static func decode(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var isEscaped = false
        for byte in text {
            if isEscaped {
                output.append(pairs.first { $0.1 == byte }?.0 ?? byte)
                isEscaped = false
            } else if byte == 0x01 {
                isEscaped = true
            } else {
                output.append(byte)
            }
        }
        return output
    }
}
