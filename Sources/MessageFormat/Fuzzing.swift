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
