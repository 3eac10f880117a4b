internal import IMAPSyntax

/// The announcement of a literal that follows.
struct MessageLiteral {
    var size: Int64
    var isNonSynchronising: Bool
}

/// APPEND or REPLACE as it comes: pieces of text with literals between them. Literals go by, none is held.
struct AppendInput {
    /// The piece at hand.
    var parser: CommandParser
    /// What it announces at its end; nil: it is the last one, or its literal was read.
    private(set) var literal: MessageLiteral?
    private var isLast: Bool

    init(_ raw: RawCommand, _ literal: MessageLiteral?, limits: IMAPSyntax.Limits) {
        parser = CommandParser(raw, limits: limits)
        self.literal = literal
        isLast = literal == nil
    }

    /// Reads the announced literal and the piece after it. `take` gets its bytes as they come.
    mutating func readLiteral(_ session: IMAPSession, _ take: (ArraySlice<UInt8>) -> Void) throws(CommandFailure) {
        guard let announced = literal else { throw .bad("Expected literal") }
        literal = nil
        try ending { () throws(SessionEnd) in
            try session.invite(announced)
            try session.readLiteral(take)
        }
    }

    /// Goes on behind a literal.
    mutating func advance(_ session: IMAPSession) throws(CommandFailure) {
        while true {
            switch session.reader.next() {
            case .needMore: try ending { () throws(SessionEnd) in try session.receive() }
            case .continuation: break
            case .command(let raw):
                parser = CommandParser(raw, limits: session.settings.limits)
                isLast = true
                return
            case .appendLiteral(let raw, let size, let nonSynchronising):
                parser = CommandParser(raw, limits: session.settings.limits)
                literal = MessageLiteral(size: size, isNonSynchronising: nonSynchronising)
                return
            case .overLimit(let refusal):
                if refusal.mustClose { throw .end(.unsafeInput("Literal too large.")) }
                isLast = true
                throw .bad("Too long")
            }
        }
    }

    /// Takes what is left of a command that failed: a literal that the client waits with is not sent, all others have to be read.
    func skip(_ session: IMAPSession) throws(SessionEnd) {
        if let literal {
            guard literal.isNonSynchronising else { return session.reader.refuseLiteral() }
            try session.readLiteral { _ in }
        } else if isLast {
            return
        }
        while true {
            switch session.reader.next() {
            case .needMore: try session.receive()
            case .continuation: break
            case .command: return
            case .appendLiteral(_, _, let nonSynchronising):
                guard nonSynchronising else { return session.reader.refuseLiteral() }
                try session.readLiteral { _ in }
            case .overLimit(let refusal):
                if refusal.mustClose { throw .unsafeInput("Literal too large.") }
                return
            }
        }
    }
}

extension IMAPSession {
    /// Asks a client that waits for its literal.
    func invite(_ literal: MessageLiteral) throws(SessionEnd) {
        guard !literal.isNonSynchronising else { return }
        stream.out.text("+ OK")
        stream.out.newline()
        try stream.flush()
    }

    /// Hands the bytes of the announced literal to `take` as they come.
    func readLiteral(_ take: (ArraySlice<UInt8>) -> Void) throws(SessionEnd) {
        while reader.literalRemaining > 0 {
            let bytes = reader.takeLiteral(atMost: 65_536)
            if !bytes.isEmpty {
                take(bytes)
                continue
            }
            guard try stream.wait(milliseconds: settings.pauseMilliseconds) == .input else { throw .inactivity }
            reader.feed(try stream.read())
        }
    }
}
