internal import IPCProtocol

/// What askers and auth say to each other, for the log with `auth_debug` (auth.md 15): in the words of the text protocols, whichever way it
/// came. Secrets are hidden unless `auth_debug_passwords` shows them.
enum DebugLine {
    private static let hidden = "<hidden>"

    /// One line of a text protocol, its words separated by blanks.
    static func text(_ line: [UInt8], showsPasswords: Bool) -> String {
        var words = line.split(separator: 0x09, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        if words.last?.hasSuffix("\n") == true { words[words.count - 1].removeLast() }
        guard !showsPasswords else { return words.joined(separator: " ") }
        // A challenge or an answer to one: the third word is the whole of it.
        if words[0] == "CONT", words.count > 2 { words[2...] = [hidden] }
        for index in words.indices.dropFirst() {
            guard let sign = words[index].firstIndex(of: "=") else { continue }
            let name = words[index][..<sign].lowercased()
            if name == "resp" || name.contains("pass") { words[index] = "\(name)=\(hidden)" }
        }
        return words.joined(separator: " ")
    }

    /// What a login process asks, as a mail server would.
    static func line(_ message: LoginToAuth, _ request: UInt32) -> [UInt8] {
        var line: TextLine
        switch message {
        case .begin(let begin):
            line = TextLine("AUTH")
            line.add(String(request))
            line.add(begin.mechanism)
            for (name, value) in words(begin) { line.add(name, value) }
            if begin.hasInitialResponse { line.add("resp", base64: begin.initialResponse) }
        case .proceed(let answer):
            line = TextLine("CONT")
            line.add(String(request))
            line.add(base64: answer.data)
        case .cancel:
            line = TextLine("CANCEL")
            line.add(String(request))
        }
        return line.bytes
    }

    private static func words(_ begin: BeginExchange) -> [(String, String?)] {
        var words: [(String, String?)] = [("service", begin.service), ("session", begin.session)]
        let (told, real) = (begin.connection, begin.realConnection)
        words += [("lip", told.localAddress), ("rip", told.remoteAddress)]
        words += [("lport", String(told.localPort)), ("rport", String(told.remotePort))]
        if real != told, real != ConnectionInfo() { words += [("real_lip", real.localAddress), ("real_rip", real.remoteAddress)] }
        if !begin.localName.isEmpty { words.append(("local_name", begin.localName)) }
        if begin.isSecured { words.append(("secured", begin.isTLS ? "tls" : nil)) }
        return words
    }
}
