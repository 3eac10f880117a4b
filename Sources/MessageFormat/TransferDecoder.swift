internal import ByteScan

/// Decodes Content-Transfer-Encodings while bytes go by (RFC 2045 section 6). What is wrong in the input is skipped or let through.
package struct TransferDecoder {
    package enum Encoding: Equatable, Sendable {
        case identity, base64, quotedPrintable

        /// Nil for an encoding that nobody can decode.
        package init?(_ name: [UInt8]?) {
            guard let name else {
                self = .identity
                return
            }
            switch name.count {
            case _ where name.isName("7bit") || name.isName("8bit") || name.isName("binary"): self = .identity
            case _ where name.isName("base64"): self = .base64
            case _ where name.isName("quoted-printable"): self = .quotedPrintable
            default: return nil
            }
        }
    }

    private let encoding: Encoding
    private var buffer: UInt32 = 0
    private var bits = 0
    /// `=` and what follows it, blanks and a CR that may be at the end of a line.
    private var held: [UInt8] = []

    /// What ends a line of quoted-printable text.
    private let lineEnd: [UInt8]

    /// `withCRLF`: line ends of quoted-printable text become CR LF, as they were before it was stored; otherwise LF.
    package init(_ encoding: Encoding, withCRLF: Bool = false) {
        self.encoding = encoding
        lineEnd = withCRLF ? [0x0d, 0x0a] : [0x0a]
    }

    package mutating func decode(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        switch encoding {
        case .identity: output.append(contentsOf: bytes)
        case .base64:
            output.reserveCapacity(output.count + bytes.count / 4 * 3 + 3)
            base64(bytes, &output)
        case .quotedPrintable: quotedPrintable(bytes, &output)
        }
    }

    /// The input ended.
    package mutating func finish(into output: inout [UInt8]) {
        if held.first != 0x3d { output.append(contentsOf: held.filter { !$0.isBlank }) }
        held.removeAll()
    }

    private mutating func base64(_ bytes: ArraySlice<UInt8>, _ output: inout [UInt8]) {
        var (buffer, bits) = (buffer, bits)
        for byte in bytes {
            let value: UInt32
            switch byte {
            case 0x41...0x5a: value = UInt32(byte &- 0x41)
            case 0x61...0x7a: value = UInt32(byte &- 0x61 &+ 26)
            case 0x30...0x39: value = UInt32(byte &- 0x30 &+ 52)
            case 0x2b: value = 62
            case 0x2f: value = 63
            case 0x3d:  // padding: what is left are no whole octets
                bits = 0
                buffer = 0
                continue
            default: continue
            }
            buffer = (buffer << 6 | value) & 0xffff
            bits += 6
            if bits >= 8 {
                bits -= 8
                output.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        (self.buffer, self.bits) = (buffer, bits)
    }

    /// Runs without `=` go through as they are; only what is at their end may be taken for the blanks before a line end.
    private mutating func quotedPrintable(_ bytes: ArraySlice<UInt8>, _ output: inout [UInt8]) {
        var rest = bytes
        while let byte = rest.first {
            if held.first == 0x3d || byte == 0x3d || byte == 0x0a {
                quotedPrintable(byte, &output)
                rest = rest.dropFirst()
                continue
            }
            let run = rest[..<(ByteScan.firstIndex(of: 0x3d, or: 0x0a, in: rest) ?? rest.endIndex)]
            rest = rest[run.endIndex...]
            if let last = run.lastIndex(where: { !$0.isBlank && $0 != 0x0d }) {
                output.append(contentsOf: held)
                held.removeAll(keepingCapacity: true)
                output.append(contentsOf: run[...last])
                held.append(contentsOf: run[(last + 1)...].prefix(Self.heldBlanks))
            } else {
                held.append(contentsOf: run.prefix(max(0, Self.heldBlanks - held.count)))
            }
        }
    }

    /// Blanks in a row that are kept; more are none of anybody's text (RFC 5322 section 2.1.1: no line has as many).
    private static let heldBlanks = 998

    // quoted-printable := qp-line *(CRLF qp-line) ; hex-octet := "=" 2(DIGIT / "A" … "F")
    private mutating func quotedPrintable(_ byte: UInt8, _ output: inout [UInt8]) {
        if held.first == 0x3d { return escape(byte, &output) }
        switch byte {
        case 0x3d:
            output.append(contentsOf: held)
            held = [0x3d]
        case 0x20, 0x09, 0x0d: if held.count < Self.heldBlanks { held.append(byte) }
        case 0x0a:
            // Blanks at the end of a line are not content.
            output.append(contentsOf: lineEnd)
            held.removeAll(keepingCapacity: true)
        default:
            output.append(contentsOf: held)
            held.removeAll(keepingCapacity: true)
            output.append(byte)
        }
    }

    private mutating func escape(_ byte: UInt8, _ output: inout [UInt8]) {
        if held.count == 1, byte.isBlank || byte == 0x0d { return }
        if held.count == 1, byte == 0x0a { return held.removeAll(keepingCapacity: true) }
        if held.count == 1, Self.hex(byte) != nil { return held.append(byte) }
        if held.count == 2, let low = Self.hex(byte), let high = Self.hex(held[1]) {
            output.append(high << 4 | low)
            return held.removeAll(keepingCapacity: true)
        }
        output.append(contentsOf: held)
        held.removeAll(keepingCapacity: true)
        quotedPrintable(byte, &output)
    }

    static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
