internal import IMAPSyntax
internal import Platform

/// Tells the client now and then that a long command goes on (RFC 9585), so that it does not give up.
struct Progress {
    private let tag: [UInt8]
    private let total: Int
    private let interval: Int64
    private var next: Int64
    private var steps = 0
    /// Messages between two looks at the clock: most are decided faster than it is read.
    private let stride: Int

    init(_ session: IMAPSession, total: Int) {
        tag = session.commandTag
        self.total = total
        interval = session.settings.progressMilliseconds
        next = Clock.milliseconds + interval
        stride = interval < 1_000 ? 1 : 16
    }

    // inprogress-tag-quoted… : "INPROGRESS" [SP "(" inprogress-tag SP (number / nil) SP (nz-number / nil) ")"]
    /// Between two answers, never within one. `done` messages of all were looked at.
    mutating func step(_ session: IMAPSession, done: Int) throws(CommandFailure) {
        steps += 1
        guard steps % stride == 0, Clock.milliseconds >= next else { return }
        next = Clock.milliseconds + interval
        session.stream.out.text("* OK [INPROGRESS (")
        session.stream.out.string(tag)
        session.stream.out.byte(0x20)
        session.stream.out.number(done)
        session.stream.out.byte(0x20)
        session.stream.out.number(max(total, done, 1))
        session.stream.out.text(")] Still working")
        session.stream.out.newline()
        try ending { () throws(SessionEnd) in try session.stream.flush() }
    }
}
