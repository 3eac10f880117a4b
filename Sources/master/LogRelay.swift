internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// Holds the receiving end of every log channel, so that no line is lost while the log process is started again.
final class LogRelay {
    private struct Channel {
        let info: LogSource
        let number: Int32
    }

    private var channels: [UInt64: Channel] = [:]
    /// Channels whose writers have all ended; closed once a log process has them.
    private var abandoned: Set<UInt64> = []
    private let poller: Poller

    init(_ poller: Poller) { self.poller = poller }

    deinit { for channel in channels.values { closeDescriptor(channel.number) } }

    /// Keeps a receiving end under `token`, whose event means that nobody writes to it any more.
    func add(_ number: Int32, _ info: LogSource, token: UInt64) throws(SystemError) {
        // From the first line on: what is sent before this has no sender.
        try Socket.receiveCredentials(on: number)
        channels[token] = Channel(info: info, number: number)
        try poller.add(number, token: token, for: [])  // hang-up is always reported
    }

    func owns(_ token: UInt64) -> Bool { channels[token] != nil }

    /// All writers of a channel have ended.
    func hungUp(_ token: UInt64, logIsRunning: Bool) {
        guard let channel = channels[token] else { return }
        poller.remove(channel.number)
        if logIsRunning {
            closeDescriptor(channel.number)
            channels[token] = nil
        } else {
            abandoned.insert(token)
        }
    }

    /// Gives a log process every channel there is.
    func announceAll(to log: IPCProtocol.Channel) throws(ChannelError) {
        for token in channels.keys.sorted() { try announce(token, to: log) }
        for token in abandoned {
            if let channel = channels.removeValue(forKey: token) { closeDescriptor(channel.number) }
        }
        abandoned = []
    }

    func announce(_ token: UInt64, to log: IPCProtocol.Channel) throws(ChannelError) {
        guard let channel = channels[token] else { return }
        try log.send(MasterToService.logSource(channel.info), descriptors: [channel.number])
    }

    /// Lines that nobody will write: for the terminal, when the log process itself cannot start.
    func takeUnwritten() -> [String] {
        var texts: [String] = []
        for channel in channels.values {
            while true {
                do throws(SystemError) {
                    guard let datagram = try DatagramSocket.receive(from: channel.number, atMost: 4096), !datagram.bytes.isEmpty else {
                        break
                    }
                    datagram.dispose()
                    do throws(FrameError) {
                        if case .line(let line) = try ServiceToLog.decode(datagram.bytes, descriptors: 0).message {
                            texts.append("\(channel.info.service): \(LogLevel(rawValue: line.level)?.word ?? ""): \(line.text)")
                        }
                    } catch { texts.append("\(channel.info.service): \(String(decoding: datagram.bytes, as: UTF8.self))") }
                } catch { break }
            }
        }
        return texts
    }
}
