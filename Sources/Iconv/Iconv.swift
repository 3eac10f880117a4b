internal import CUnicode

/// A converter of the C library from one character set to UTF-8, for text that comes in pieces. What means nothing becomes U+FFFD.
///
/// The library keeps most sets in modules that it loads when they are first asked for. A confined process cannot load: its zygote calls
/// `preload`, and the modules stay where they are because one converter of each is never closed.
@safe package final class Iconv {
    private let converter: UnsafeMutableRawPointer
    /// A character that is not complete yet.
    private var held: [UInt8] = []
    /// No character of any set is longer; an escape sequence neither.
    private static let longestCharacter = 16

    /// How many bytes a set is made of at least: as many are given up where something means nothing.
    private let unit: Int

    /// Nil when the C library has no such set, or cannot load it any more.
    package init?(_ name: String, unit: Int = 1) {
        guard let opened = unsafe cu_iconv_open(name) else { return nil }
        unsafe converter = opened
        self.unit = unit
    }

    deinit { unsafe cu_iconv_close(converter) }

    /// Loads the modules of these sets for this process and those that it forks; answers how many there are.
    package static func preload(_ names: [String]) -> Int {
        var count = 0
        for name in names {
            // Not closed: the module stays.
            if unsafe cu_iconv_open(name) != nil { count += 1 }
        }
        return count
    }

    package func convert(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        var rest = held.isEmpty ? bytes : (held + bytes)[...]
        held.removeAll()
        while !rest.isEmpty {
            let (end, consumed) = step(rest, &output)
            rest = rest.dropFirst(consumed)
            if end == cu_iconv_incomplete, rest.count < Self.longestCharacter {
                held = Array(rest)
                return
            }
            // What is longer than any character and still incomplete is not the beginning of one.
            if end == cu_iconv_invalid || end == cu_iconv_incomplete && consumed == 0 {
                Self.replace(&output)
                rest = rest.dropFirst(unit)
            }
        }
    }

    /// The text ended: what is incomplete becomes U+FFFD, what the library kept back comes out.
    package func finish(into output: inout [UInt8]) {
        if !held.isEmpty { Self.replace(&output) }
        held.removeAll()
        var buffer = [UInt8](repeating: 0, count: 64)
        var written = 0
        unsafe buffer.withUnsafeMutableBufferPointer { space in
            var consumed = 0
            _ = unsafe cu_iconv(converter, nil, 0, &consumed, space.baseAddress, space.count, &written)
        }
        output += buffer[..<written]
    }

    private func step(_ bytes: ArraySlice<UInt8>, _ output: inout [UInt8]) -> (cu_iconv_end, Int) {
        var end = cu_iconv_done
        var consumed = 0
        // After an invalid byte the rest is tried again, so a step is short: its work stays in proportion.
        let bytes = bytes.prefix(4_096)
        let space = bytes.count * 3 + 64
        let piece = unsafe [UInt8](unsafeUninitializedCapacity: space) { buffer, count in
            unsafe bytes.withUnsafeBufferPointer { source in
                unsafe end = cu_iconv(converter, source.baseAddress, source.count, &consumed, buffer.baseAddress, space, &count)
            }
        }
        output += piece
        return (end, consumed)
    }

    private static func replace(_ output: inout [UInt8]) { output.append(contentsOf: [0xef, 0xbf, 0xbd]) }
}
