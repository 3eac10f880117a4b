/// The text of ENVELOPE, BODY and BODYSTRUCTURE as it goes into a FETCH answer; rendered once, kept in the index.
package struct StructureText {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    private mutating func text(_ words: String) { bytes.append(contentsOf: words.utf8) }
    private mutating func byte(_ byte: UInt8) { bytes.append(byte) }

    private mutating func number(_ value: Int64) { text(String(max(0, value))) }

    // nstring = string / nil
    mutating func nstring(_ value: (some Collection<UInt8>)?) {
        guard let value else { return text("NIL") }
        string(value)
    }

    /// Text for people: runs of blanks and line ends become one space, those at the ends go.
    private mutating func readable(_ value: [UInt8]?) {
        guard let value else { return text("NIL") }
        var words: [UInt8] = []
        words.reserveCapacity(value.count)
        var wantsBlank = false
        for byte in value {
            if byte.isBlank || byte == 0x0d || byte == 0x0a {
                wantsBlank = !words.isEmpty
            } else {
                if wantsBlank { words.append(0x20) }
                wantsBlank = false
                words.append(byte)
            }
        }
        string(words)
    }

    // string = quoted / literal ; no NUL (CHAR8): U+FFFD stands for it, and a space for a stray CR
    mutating func string(_ value: some Collection<UInt8>) {
        if value.contains(where: { $0 == 0 || $0 == 0x0d }) { return string(Self.cleaned(Array(value))) }
        if value.count <= 1_000, value.allSatisfy({ $0 >= 0x20 && $0 < 0x7f || $0 == 0x09 }) {
            byte(0x22)
            for character in value {
                if character == 0x22 || character == 0x5c { byte(0x5c) }
                byte(character)
            }
            byte(0x22)
        } else {
            byte(0x7b)
            number(Int64(value.count))
            text("}\r\n")
            bytes.append(contentsOf: value)
        }
    }

    /// Without NULs and CRs.
    private static func cleaned(_ value: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        for (index, byte) in value.enumerated() {
            switch byte {
            case 0: output.append(contentsOf: [0xef, 0xbf, 0xbd])
            // A run of them is a blank, unless there is one.
            case 0x0d: if index + 1 < value.count, value[index + 1] != 0x0d, !value[index + 1].isBlank { output.append(0x20) }
            default: output.append(byte)
            }
        }
        return output
    }

    // envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP env-bcc SP
    //            env-in-reply-to SP env-message-id ")"
    /// Sender and Reply-To are From where the message has none (RFC 9051 section 7.5.2).
    package mutating func envelope(_ envelope: Envelope) {
        byte(0x28)
        nstring(envelope.date)
        byte(0x20)
        readable(envelope.subject)
        for list in [
            envelope.from, envelope.sender ?? envelope.from, envelope.replyTo ?? envelope.from, envelope.to, envelope.cc, envelope.bcc,
        ] {
            byte(0x20)
            addresses(list)
        }
        byte(0x20)
        nstring(envelope.inReplyTo)
        byte(0x20)
        nstring(envelope.messageID)
        byte(0x29)
    }

    // env-from = "(" 1*address ")" / nil
    // address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
    private mutating func addresses(_ list: [Address]?) {
        guard let list, !list.isEmpty else { return text("NIL") }
        byte(0x28)
        for address in list {
            byte(0x28)
            readable(address.name)
            byte(0x20)
            nstring(address.route)
            byte(0x20)
            nstring(address.mailbox)
            byte(0x20)
            nstring(address.host)
            byte(0x29)
        }
        byte(0x29)
    }
}

// MARK: body structure
extension StructureText {
    private enum Step {
        case part(Int)
        case multipartEnd(Int)
        case messageEnd(Int)
    }

    // body = "(" (body-type-1part / body-type-mpart) ")"
    /// BODYSTRUCTURE, or BODY when not `isExtended`. Iterative: the stack holds what is still to be written.
    package mutating func structure(_ message: MessageStructure, isExtended: Bool) {
        var steps: [Step] = [.part(0)]
        while let step = steps.popLast() {
            switch step {
            case .part(let index):
                let part = message.parts[index]
                byte(0x28)
                switch part.kind {
                case .single where part.type.isName("multipart") && !part.subtype.isEmpty:
                    // Without a boundary, or too deep: nobody can tell its parts.
                    emptyText(isExtended: isExtended)
                    multipartEnd(part, isExtended: isExtended)
                case .single:
                    single(part)
                    if isExtended { singleExtension(part.mime) }
                    byte(0x29)
                case .multipart:
                    steps.append(.multipartEnd(index))
                    // A multipart without parts is not in the grammar: an empty text stands in.
                    if part.children.isEmpty { emptyText(isExtended: isExtended) }
                    steps.append(contentsOf: part.children.reversed().map { .part($0) })
                case .message:
                    fields(part)
                    byte(0x20)
                    steps.append(.messageEnd(index))
                    if let inner = part.children.first {
                        envelope(message.parts[inner].envelope ?? Envelope())
                        byte(0x20)
                        steps.append(.part(inner))
                    }
                }
            case .multipartEnd(let index):
                multipartEnd(message.parts[index], isExtended: isExtended)
            case .messageEnd(let index):
                byte(0x20)
                number(message.parts[index].body.lines)
                if isExtended { singleExtension(message.parts[index].mime) }
                byte(0x29)
            }
        }
    }

    // body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
    // body-ext-mpart = body-fld-param [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc]]]
    private mutating func multipartEnd(_ part: Part, isExtended: Bool) {
        byte(0x20)
        string(part.subtype)
        if isExtended {
            byte(0x20)
            parameters(part.mime.parameters)
            dispositionAndOn(part.mime)
        }
        byte(0x29)
    }

    private mutating func emptyText(isExtended: Bool) {
        text("(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0")
        text(isExtended ? " NIL NIL NIL NIL)" : ")")
    }

    // body-type-1part = (body-type-basic / body-type-msg / body-type-text) [SP body-ext-1part]
    private mutating func single(_ part: Part) {
        fields(part)
        if part.type.isName("text") {
            byte(0x20)
            number(part.body.lines)
        } else if part.type.isName("message"), part.subtype.isName("rfc822") || part.subtype.isName("global") {
            // Not taken apart because it is too deep: an empty message stands in.
            byte(0x20)
            envelope(Envelope())
            byte(0x20)
            emptyText(isExtended: false)
            byte(0x20)
            number(part.body.lines)
        }
    }

    // body-fields = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets
    private mutating func fields(_ part: Part) {
        string(part.type)
        byte(0x20)
        string(part.subtype)
        byte(0x20)
        // The default of RFC 2045 section 5.2 is told to the client.
        let lacksCharset = part.type.isName("text") && part.mime.parameter("charset") == nil
        parameters(part.mime.parameters + (lacksCharset ? [Self.asciiCharset] : []))
        byte(0x20)
        nstring(part.mime.id)
        byte(0x20)
        nstring(part.mime.description)
        byte(0x20)
        string(part.mime.encoding ?? Array("7bit".utf8))
        byte(0x20)
        number(part.body.virtualSize)
    }

    private static let asciiCharset = MIMEHeader.Parameter(name: Array("charset".utf8), value: Array("us-ascii".utf8))

    // body-ext-1part = body-fld-md5 [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc]]]
    private mutating func singleExtension(_ mime: MIMEHeader) {
        byte(0x20)
        nstring(mime.md5)
        dispositionAndOn(mime)
    }

    // body-fld-dsp = "(" string SP body-fld-param ")" / nil ; body-fld-lang = nstring / "(" string *(SP string) ")"
    private mutating func dispositionAndOn(_ mime: MIMEHeader) {
        byte(0x20)
        if let disposition = mime.disposition {
            byte(0x28)
            string(disposition.kind)
            byte(0x20)
            parameters(disposition.parameters)
            byte(0x29)
        } else {
            text("NIL")
        }
        byte(0x20)
        if mime.languages.isEmpty {
            text("NIL")
        } else {
            byte(0x28)
            for (index, language) in mime.languages.enumerated() {
                if index > 0 { byte(0x20) }
                string(language)
            }
            byte(0x29)
        }
        byte(0x20)
        nstring(mime.location)
    }

    // body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
    private mutating func parameters(_ parameters: [MIMEHeader.Parameter]) {
        guard !parameters.isEmpty else { return text("NIL") }
        byte(0x28)
        for (index, parameter) in parameters.enumerated() {
            if index > 0 { byte(0x20) }
            string(parameter.name)
            byte(0x20)
            string(parameter.value)
        }
        byte(0x29)
    }
}

extension MessageStructure {
    /// ENVELOPE as it goes into an answer.
    package var envelopeText: [UInt8] {
        var text = StructureText()
        text.envelope(envelope)
        return text.bytes
    }

    /// BODYSTRUCTURE, or BODY when not extended.
    package func structureText(isExtended: Bool) -> [UInt8] {
        var text = StructureText()
        text.structure(self, isExtended: isExtended)
        return text.bytes
    }
}
