internal import IPCProtocol
internal import Platform

/// The one place where lines for the log are written: through the running suite's log process where the caller may (root), else on
/// standard error, which mail transfer agents put into their own log.
struct LDALog {
    enum Level: UInt8 {
        case debug, info, warning, error

        var word: String { ["Debug", "Info", "Warning", "Error"][Int(rawValue)] }
    }

    private let user: String?
    private var channel: Channel?

    init(user: String?) { self.user = user }

    /// Asks master for a channel to the log; without one nothing changes. Before the rights to do so are given up.
    mutating func connect(base: String) {
        do {
            let master = Channel(try Socket.connect(path: base + "/master", style: .seqpacket))
            try master.send(AdminToMaster.logChannel(.init(name: "lda")))
            guard var answer = try master.receive(MasterToAdmin.self, wait: true), let socket = answer.takeDescriptor() else { return }
            channel = Channel(socket)
        } catch { return }
    }

    /// Foreign bytes may be in `text`: control characters become `?`, what is too long is cut.
    func write(_ level: Level, _ text: String) {
        let clean = String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(900).map { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? "?" : $0 }))
        if let channel {
            do throws(ChannelError) {
                try channel.send(ServiceToLog.line(LogLine(level: level.rawValue, user: user ?? "", session: "", pid: 0, text: clean)))
                return
            } catch {}
        }
        let prefix = user.map { "lda(\($0))<\(Process.id)><>: " } ?? "lda: "
        let stream = FileDescriptor(adopting: 2)
        do throws(SystemError) { try stream.writeAll(Array("\(prefix)\(level.word): \(clean)\n".utf8)) } catch {}
        _ = stream.release()
    }
}
