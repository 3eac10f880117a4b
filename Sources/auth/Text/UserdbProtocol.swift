/// What a tool asks over the user database protocol (auth.md 4).
enum UserdbCommand: Equatable {
    case user(id: UInt32, name: [UInt8], origin: Origin)
    case pass(id: UInt32, name: [UInt8], origin: Origin)
    case list(id: UInt32, mask: [UInt8])
    case flushCache(id: UInt32)
}

/// The dialogue with LMTP, LDA, doveadm and other tools: lines in, commands out (auth.md 4).
struct UserdbProtocol {
    private var hasVersion = false
    private let processID: Int32
    /// `auth-master`: the cache can be emptied.
    private let isMaster: Bool

    init(processID: Int32, isMaster: Bool) {
        self.processID = processID
        self.isMaster = isMaster
    }

    /// What is sent when the connection is made.
    var opening: [UInt8] { Array("VERSION\t1\t1\nSPID\t\(processID)\n".utf8) }

    // line = word TAB id [TAB user] *(TAB parameter)
    /// Takes one line, without its end; nil: nothing to do.
    mutating func receive(_ line: [UInt8]) throws(Violation) -> UserdbCommand? {
        var parts = line.split(separator: 0x09, maxSplits: Limits.parameters + 8, omittingEmptySubsequences: false)[...]
        let word = String(decoding: parts.removeFirst(), as: UTF8.self)
        guard hasVersion else {
            guard word == "VERSION", parts.popFirst()?.number == 1 else { throw Violation(text: "VERSION 1 expected") }
            hasVersion = true
            return nil
        }
        // Tools that send their process id do so without being asked.
        if word == "CPID" { return nil }
        guard let id = parts.popFirst()?.number else { throw Violation(text: "\(word.prefix(20)) without an id") }
        switch word {
        case "USER", "PASS":
            guard let name = parts.popFirst(), !name.isEmpty else { throw Violation(text: "\(word) without a user") }
            let origin = try Parameters(parts).origin()
            let user = TabEscape.decode(name)
            return word == "USER" ? .user(id: id, name: user, origin: origin) : .pass(id: id, name: user, origin: origin)
        case "LIST":
            return .list(id: id, mask: try Parameters(parts).bytes("user") ?? [])
        case "CACHE-FLUSH" where isMaster:
            return .flushCache(id: id)
        default:
            throw Violation(text: "unknown command \(word.prefix(20))")
        }
    }
}

/// Replies of the user database protocol.
enum UserdbReply {
    static func user(_ id: UInt32, _ user: MailUser) -> [UInt8] {
        var line = TextLine("USER")
        line.add(String(id))
        line.add(user.name)
        for (name, value) in user.replyFields.entries { line.add(name, value) }
        return line.finished
    }

    /// Never the password itself.
    static func pass(_ id: UInt32, user: String, _ fields: FieldList) -> [UInt8] {
        var line = TextLine("PASS")
        line.add(String(id))
        line.add("user", user)
        for (name, value) in fields.entries { line.add(name, value) }
        return line.finished
    }

    static func notFound(_ id: UInt32) -> [UInt8] { Array("NOTFOUND\t\(id)\n".utf8) }

    static func failure(_ id: UInt32, reason: String = "") -> [UInt8] {
        var line = TextLine("FAIL")
        line.add(String(id))
        if !reason.isEmpty { line.add("reason", reason) }
        return line.finished
    }

    static func listed(_ id: UInt32, _ name: String) -> [UInt8] {
        var line = TextLine("LIST")
        line.add(String(id))
        line.add(name)
        return line.finished
    }

    static func listEnd(_ id: UInt32, isComplete: Bool) -> [UInt8] { Array("DONE\t\(id)\t\(isComplete ? "" : "fail")\n".utf8) }

    static func flushed(_ id: UInt32, count: Int) -> [UInt8] { Array("OK\t\(id)\t\(count)\n".utf8) }
}
