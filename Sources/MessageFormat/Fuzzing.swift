/// Entry point for fuzzing and mutation tests: everything that reads a message. Must never trap.
package func fuzzMessage(_ input: [UInt8]) {
    var parser = MessageParser()
    let cut = input.isEmpty ? 0 : Int(input[0]) % (input.count + 1)
    parser.feed(input[..<cut])
    parser.feed(input[cut...])
    let message = parser.finish()
    precondition(message.size == Int64(input.count))
    _ = message.envelopeText
    _ = message.structureText(isExtended: true)
    _ = message.structureText(isExtended: false)
    for part in message.parts {
        precondition(part.header.start <= part.header.end && part.header.end <= part.body.start && part.body.start <= part.body.end)
        precondition(part.body.end <= Int64(input.count) && part.body.virtualSize >= part.body.size)
    }
    for numbers in [[1], [1, 1], [2, 1], [1, 1, 1, 1]] as [[UInt32]] {
        guard let target = message.target(numbers) else { continue }
        _ = (message.body(target), message.header(target), message.text(target), message.mimeHeader(target))
    }
    _ = HeaderFields.filtered(input, names: [Array("subject".utf8)], isExcluding: true)
    _ = message.envelope.sentDate
    _ = EncodedWords.decode(input)
    for encoding in [TransferDecoder.Encoding.base64, .quotedPrintable] {
        var decoder = TransferDecoder(encoding)
        var output: [UInt8] = []
        decoder.decode(input[...], into: &output)
        decoder.finish(into: &output)
    }
}

/// Pieces of an input, cut at a place that its first byte names.
private func pieces(_ input: [UInt8]) -> [ArraySlice<UInt8>] {
    guard let first = input.first else { return [] }
    let rest = input.dropFirst()
    let cut = rest.startIndex + Int(first) % (rest.count + 1)
    return [rest[..<cut], rest[cut...]]
}

/// Converts text in a character set that the first byte chooses: what comes out is valid UTF-8, and the same however the text is cut.
package func fuzzCharset(_ input: [UInt8]) -> Bool {
    guard let chosen = input.first else { return true }
    let all: [Charset] = [.utf8] + Charset.Library.allCases.map { .library($0) } + Charset.Table.allCases.map { .table($0) }
    let charset = all[Int(chosen) % all.count]
    var decoder = CharsetDecoder(charset)
    var output: [UInt8] = []
    for piece in pieces(Array(input.dropFirst())) { decoder.convert(piece, into: &output) }
    decoder.finish(into: &output)
    _ = Charset(input)
    return Array(String(decoding: output, as: UTF8.self).utf8) == output && output == charset.decode(input.dropFirst(2))
}

/// The preview of any message is valid UTF-8 of at most 200 characters.
package func fuzzPreview(_ input: [UInt8]) -> Bool {
    guard let cut = input.first else { return true }
    let source = Array(input.dropFirst())
    var parser = MessageParser()
    parser.feed(source[...])
    let message = parser.finish()
    for index in message.previewParts {
        let part = message.parts[index]
        var preview = PreviewText(part)
        let body = source[Int(part.body.start)..<Int(part.body.end)]
        for piece in pieces([cut] + body) { preview.feed(piece) }
        let text = preview.finish()
        guard String(decoding: text, as: UTF8.self).unicodeScalars.count <= 200, Array(String(decoding: text, as: UTF8.self).utf8) == text
        else {
            return false
        }
        var binary = BinaryDecoder(part)
        var content: [UInt8] = []
        binary?.decode(body, into: &content)
        binary?.finish(into: &content)
        if let binary, binary.size != Int64(content.count) { return false }
    }
    return true
}

/// Subjects and keys.
package func fuzzCollation(_ input: [UInt8]) {
    let base = BaseSubject(input)
    let key = UnicodeCasemap.key(input)
    precondition(base.text.count <= 6 * input.count)
    precondition(Array(String(decoding: key, as: UTF8.self).utf8) == key)
}

/// What the index keeps of a message, and what is read back of it.
package func fuzzSummary(_ input: [UInt8]) -> Bool {
    var summarizer = MessageSummarizer()
    for piece in pieces(input) { summarizer.feed(piece) }
    let summary = summarizer.finish()
    for keys in [MessageKeys(summary.keys.bytes), MessageKeys(input[...])] {
        guard let keys else { continue }
        var size = 0
        for name in MessageKeys.Text.allCases { size += keys.text(name).count }
        keys.forEachAncestor { size += $0.count }
        if size > keys.bytes.count { return false }
    }
    return MessageKeys(summary.keys.bytes) == summary.keys
}
