internal import Base64
internal import SASL
internal import ServiceKit

/// A client's first message, or a later one.
enum Response: Equatable {
    case absent
    case data([UInt8])
    /// Not base64.
    case malformed
}

/// What a mail server asks over the client protocol (auth.md 3.2).
enum ClientCommand: Equatable {
    case authenticate(id: UInt32, mechanism: String, initial: Response, origin: Origin)
    case proceed(id: UInt32, Response)
    case cancel(id: UInt32)
}

/// The dialogue with Postfix, Exim and other mail servers: lines in, commands out (auth.md 3, version 1).
struct ClientProtocol {
    /// What differs between one connection and the next.
    struct Greeting {
        let processID: Int32
        let connection: UInt32
        /// 16 random bytes in lower-case hexadecimal.
        let cookie: String
        let mechanisms: [Mechanism]
    }

    private enum State { case version, process, open }

    private var state = State.version
    private(set) var minor: UInt32 = 0
    private let greeting: Greeting
    /// 2.3: everything at once; 2.4: the rest after the client's VERSION.
    private let greetsAtOnce: Bool

    init(_ greeting: Greeting, atOnce: Bool) {
        self.greeting = greeting
        greetsAtOnce = atOnce
    }

    /// What is sent when the connection is made.
    var opening: [UInt8] { greetsAtOnce ? line("VERSION", "1", "2") + offer : line("VERSION", "1", "4") }

    private var offer: [UInt8] {
        var bytes: [UInt8] = []
        for mechanism in greeting.mechanisms {
            var text = TextLine("MECH")
            text.add(mechanism.rawValue)
            for flag in mechanism.flags { text.add(flag) }
            bytes += text.finished
        }
        bytes += line("SPID", String(greeting.processID)) + line("CUID", String(greeting.connection)) + line("COOKIE", greeting.cookie)
        return bytes + line("DONE")
    }

    private func line(_ words: String...) -> [UInt8] { Array(words.joined(separator: "\t").utf8) + [0x0A] }

    enum Received: Equatable {
        case command(ClientCommand)
        case reply([UInt8])
        case nothing
    }

    /// Takes one line, without its end.
    mutating func receive(_ line: [UInt8]) throws(Violation) -> Received {
        let parts = line.split(separator: 0x09, maxSplits: Limits.parameters + 8, omittingEmptySubsequences: false)
        let word = String(decoding: parts[0], as: UTF8.self)
        switch (state, word) {
        case (.version, "VERSION"):
            // VERSION TAB major TAB minor
            guard parts.count >= 3, parts[1].number == 1, let minor = parts[2].number else {
                throw Violation(text: "incompatible protocol version, this server speaks 1")
            }
            self.minor = minor
            state = .process
            return greetsAtOnce ? .nothing : .reply(offer)
        case (.version, _):
            throw Violation(text: "VERSION expected")
        case (.process, "CPID"):
            guard parts.count >= 2, let id = parts[1].number, id != 0 else { throw Violation(text: "invalid CPID") }
            state = .open
            return .nothing
        case (.open, "AUTH"): return .command(try authenticate(parts.dropFirst()))
        case (.open, "CONT"):
            guard parts.count == 3, let id = parts[1].number, id != 0 else { throw Violation(text: "invalid CONT") }
            return .command(.proceed(id: id, Base64.decode(parts[2]).map { .data($0) } ?? .malformed))
        case (.open, "CANCEL"):
            guard parts.count == 2, let id = parts[1].number, id != 0 else { throw Violation(text: "invalid CANCEL") }
            return .command(.cancel(id: id))
        default:
            throw Violation(text: "unexpected command \(word.prefix(20))")
        }
    }

    // auth = "AUTH" TAB id TAB mechanism TAB "service=" name *(TAB parameter) [TAB "resp=" base64]
    private func authenticate(_ parts: ArraySlice<ArraySlice<UInt8>>) throws(Violation) -> ClientCommand {
        var parts = parts
        guard let id = parts.popFirst()?.number, id != 0 else { throw Violation(text: "AUTH without a valid id") }
        guard let name = parts.popFirst(), !name.isEmpty, name.count <= SASL.Limits.mechanism else {
            throw Violation(text: "AUTH without a mechanism")
        }
        var initial = Response.absent
        if let place = parts.firstIndex(where: { $0.starts(with: "resp=".utf8) }) {
            guard place == parts.indices.last else { throw Violation(text: "AUTH has parameters after resp") }
            let text = parts[place].dropFirst(5)
            parts = parts[..<place]
            initial = response(text)
        }
        let origin = try Parameters(parts).origin()
        return .authenticate(id: id, mechanism: String(decoding: name, as: UTF8.self), initial: initial, origin: origin)
    }

    /// Older clients send an empty `resp=` for none at all; a single `=` is an empty response.
    private func response(_ text: ArraySlice<UInt8>) -> Response {
        if text.elementsEqual([UInt8(ascii: "=")]) { return .data([]) }
        if text.isEmpty { return minor < 2 ? .absent : .data([]) }
        return Base64.decode(text).map { .data($0) } ?? .malformed
    }
}

/// Replies of the client protocol (auth.md 3.3).
enum ClientReply {
    static func challenge(_ id: UInt32, _ data: [UInt8]) -> [UInt8] {
        var line = TextLine("CONT")
        line.add(String(id))
        line.add(base64: data)
        return line.finished
    }

    static func success(_ id: UInt32, _ passed: Passed) -> [UInt8] {
        var line = TextLine("OK")
        line.add(String(id))
        line.add("user", passed.identity.user)
        if passed.identity.original != passed.identity.user { line.add("original_user", passed.identity.original) }
        if let master = passed.identity.master { line.add("auth_user", master) }
        // What concerns the mail service alone stays here.
        for (name, value) in passed.fields.without(prefix: "userdb_").entries {
            line.add(name, name == "reason" ? value.map { ClientText.line($0) } : value)
        }
        return line.finished
    }

    static func failure(_ id: UInt32, _ refusal: Refusal) -> [UInt8] {
        var line = TextLine("FAIL")
        line.add(String(id))
        if !refusal.user.isEmpty { line.add("user", refusal.user) }
        if !refusal.code.isEmpty { line.add("code", refusal.code) }
        if !refusal.reason.isEmpty { line.add("reason", ClientText.line(refusal.reason)) }
        return line.finished
    }
}
