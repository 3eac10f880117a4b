/// Entry point for fuzzing and mutation tests: everything that reads a client's bytes, before and after login. Must never trap.
package func fuzzIMAPCommand(_ input: [UInt8]) {
    for limits in [Limits.preLogin, Limits.postLogin] {
        var reader = CommandReader(limits: limits)
        // In two pieces, so that every rule meets a cut.
        let cut = input.isEmpty ? 0 : Int(input[0]) % (input.count + 1)
        for piece in [input[..<cut], input[cut...]] {
            reader.feed(piece)
            drain(&reader)
        }
    }
}

private func drain(_ reader: inout CommandReader) {
    // Each event but needMore uses up at least one byte.
    for _ in 0..<100_000 {
        switch reader.next() {
        case .needMore:
            if reader.takeLiteral(atMost: 4_096).isEmpty { return }
        case .continuation, .overLimit: break
        case .command(let raw): parse(raw, limits: reader.limits)
        case .appendLiteral(let raw, _, _):
            var head = CommandParser(raw, limits: reader.limits)
            do throws(SyntaxError) {
                _ = try head.tag()
                var name: [UInt8] = []
                _ = try head.append(name: &name)
                if try head.appendMessage().content == .catenate { _ = try head.catenatePart() }
            } catch { _ = error.text }
        }
    }
}

private func parse(_ raw: RawCommand, limits: Limits) {
    var parser = CommandParser(raw, limits: limits)
    do throws(SyntaxError) {
        _ = try parser.tag()
        if limits == .preLogin { return _ = try parser.preLoginCommand() }
        var name: [UInt8] = []
        use(try parser.command(name: &name))
    } catch { _ = error.text }
}

/// Goes on to what a session does with names, sets and sections.
private func use(_ command: Command) {
    var writer = ResponseWriter()
    switch command {
    case .list(let list):
        for pattern in list.patterns { _ = ListPattern(pattern, separator: 0x2e)?.matches("INBOX.a.b".utf8) }
    case .create(let name, _), .delete(let name):
        if let text = ModifiedUTF7.decode(name) { precondition(ModifiedUTF7.encode(text) == name) }
        writer.astring(name)
        writer.shown(name)
    case .subscribe(let name): if let url = MessageURL(name) { writer.section(url.section) }
    case .fetch(let fetch):
        writer.set(fetch.set.resolved(largest: 100))
        for item in fetch.items { if case .section(let section) = item { writer.section(section) } }
    default: break
    }
}
