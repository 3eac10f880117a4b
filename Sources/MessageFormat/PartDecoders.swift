/// The content of a part for BINARY (RFC 3516): its transfer encoding undone, lines with CR LF.
package struct BinaryDecoder {
    private var transfer: TransferDecoder
    private var lineEnds: LineEndConverter?
    /// Octets that came out so far: BINARY.SIZE once everything went through.
    package private(set) var size: Int64 = 0

    /// Nil where nobody knows the encoding: the answer then is NO [UNKNOWN-CTE].
    package init?(_ part: Part) {
        guard let encoding = TransferDecoder.Encoding(part.mime.encoding) else { return nil }
        transfer = TransferDecoder(encoding, withCRLF: true)
        lineEnds = encoding == .identity ? LineEndConverter() : nil
    }

    package mutating func decode(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        let before = output.count
        if lineEnds != nil { lineEnds?.convert(bytes, into: &output) } else { transfer.decode(bytes, into: &output) }
        size += Int64(output.count - before)
    }

    package mutating func finish(into output: inout [UInt8]) {
        let before = output.count
        transfer.finish(into: &output)
        size += Int64(output.count - before)
    }
}

/// The text of a text part as UTF-8, for SEARCH and PREVIEW: transfer encoding and character set undone while bytes go by.
package struct TextDecoder {
    private var transfer: TransferDecoder
    private var charset: CharsetDecoder
    private var decoded: [UInt8] = []

    /// Nil where nobody knows the encoding.
    package init?(_ part: Part) {
        guard let encoding = TransferDecoder.Encoding(part.mime.encoding) else { return nil }
        transfer = TransferDecoder(encoding)
        charset = CharsetDecoder(part.mime.parameter("charset").map { Charset($0) } ?? .utf8)
    }

    package mutating func decode(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        decoded.removeAll(keepingCapacity: true)
        transfer.decode(bytes, into: &decoded)
        charset.convert(decoded[...], into: &output)
    }

    package mutating func finish(into output: inout [UInt8]) {
        decoded.removeAll(keepingCapacity: true)
        transfer.finish(into: &decoded)
        charset.convert(decoded[...], into: &output)
        charset.finish(into: &output)
    }
}
