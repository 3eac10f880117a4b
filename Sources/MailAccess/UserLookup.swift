internal import Platform

/// One question to auth's user database, in the text protocol of its socket `auth-userdb` (reference/auth.md 4).
enum UserLookup {
    /// Bytes of all that auth says: a user record with its fields.
    private static let answerSize = 65_536
    private static let milliseconds: Int32 = 60_000

    static func find(_ user: String, service: String, socket path: String) throws(AccessFailure) -> MailUser {
        guard !user.isEmpty, user.utf8.count <= 512 else { throw AccessFailure(.noUser, "User doesn't exist: \(user)") }
        do throws(SystemError) {
            let socket = try Socket.connect(path: path, style: .stream)
            let request = "VERSION\t1\t0\nUSER\t1\t\(escaped(user))\tservice=\(service)\n"
            try socket.writeAll(Array(request.utf8))
            guard let line = try answer(socket) else { throw SystemError(call: "read(\(path))", code: SystemError.invalid) }
            return try record(line, user)
        } catch {
            guard error.call != Self.refusal else { throw AccessFailure(.temporary, "auth-userdb: temporary failure for \(user)") }
            guard error.call != Self.unknown else { throw AccessFailure(.noUser, "User doesn't exist: \(user)") }
            let hint =
                error.isPermission
                ? " (euid=\(Process.effectiveUID) egid=\(Process.effectiveGID): the socket's mode, user and group decide)" : ""
            throw AccessFailure(.temporary, "userdb lookup: \(error)\(hint)")
        }
    }

    private static let refusal = "FAIL"
    private static let unknown = "NOTFOUND"

    /// The line that answers request 1; nil when auth closes the connection before.
    private static func answer(_ socket: borrowing FileDescriptor) throws(SystemError) -> [String]? {
        let poller = try Poller()
        try poller.add(socket.number, token: 0, for: .readable)
        var received: [UInt8] = []
        while received.count < answerSize {
            guard try !poller.wait(milliseconds: milliseconds).isEmpty else { return nil }
            guard try socket.read(appendingTo: &received, atMost: 4_096) > 0 else { return nil }
            while let end = received.firstIndex(of: 0x0a) {
                let fields = received[..<end].split(separator: 0x09, omittingEmptySubsequences: false).map(unescaped)
                received.removeSubrange(...end)
                if fields.count >= 2, fields[1] == "1", ["USER", refusal, unknown].contains(fields[0]) { return fields }
            }
        }
        return nil
    }

    private static func record(_ fields: [String], _ user: String) throws(SystemError) -> MailUser {
        guard fields[0] == "USER", fields.count >= 3 else { throw SystemError(call: fields[0], code: SystemError.invalid) }
        var recipient = MailUser(name: fields[2], uid: .max, gid: .max)
        for field in fields.dropFirst(3) {
            let pair = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard pair.count == 2 else { continue }
            switch pair[0] {
            case "uid": recipient.uid = UInt32(pair[1]) ?? .max
            case "gid": recipient.gid = UInt32(pair[1]) ?? .max
            case "home": recipient.home = pair[1]
            case "mail": recipient.location = pair[1]
            default: if pair[0].hasPrefix("mail") || pair[0].hasPrefix("quota") { recipient.fields[pair[0]] = pair[1] }
            }
        }
        if recipient.uid == .max && !Process.isRoot { recipient.uid = Process.effectiveUID }
        if recipient.gid == .max && !Process.isRoot { recipient.gid = Process.effectiveGID }
        guard recipient.uid != .max, recipient.gid != .max else { throw SystemError(call: refusal, code: SystemError.invalid) }
        return recipient
    }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { output, scalar in
            switch scalar {
            case "\u{1}": output += "\u{1}1"
            case "\t": output += "\u{1}t"
            case "\n": output += "\u{1}n"
            case "\r": output += "\u{1}r"
            default: output.unicodeScalars.append(scalar)
            }
        }
    }

    private static func unescaped(_ field: ArraySlice<UInt8>) -> String {
        var output: [UInt8] = []
        var isEscaped = false
        for byte in field {
            if isEscaped {
                output.append(
                    byte == 0x31 ? 0x01 : byte == 0x74 ? 0x09 : byte == 0x6e ? 0x0a : byte == 0x72 ? 0x0d : byte == 0x30 ? 0 : byte)
                isEscaped = false
            } else if byte == 0x01 {
                isEscaped = true
            } else {
                output.append(byte)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
