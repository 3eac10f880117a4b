internal import Platform

/// What systemd and master say to each other (sd_notify(3), sd_listen_fds(3)).
struct Systemd {
    private let socket: String?

    init() { socket = Process.environment("NOTIFY_SOCKET") }

    var isListening: Bool { socket != nil }

    func notify(_ lines: [String]) {
        guard let socket else { return }
        do throws(SystemError) {
            let datagram = try Socket.datagram(to: socket)
            _ = try datagram.write(Array(lines.joined(separator: "\n").utf8)[...])
        } catch {}
    }

    /// Sockets that systemd opened for us, by `family:port`.
    static func inheritedSockets() -> [String: Int32] {
        guard let pid = Process.environment("LISTEN_PID").flatMap({ Int32($0) }), pid == Process.id,
            let count = Process.environment("LISTEN_FDS").flatMap({ Int32($0) }), count > 0, count < 512
        else { return [:] }
        var found: [String: Int32] = [:]
        for number in 3..<(3 + count) where Socket.isInternet(number) {
            do throws(SystemError) {
                let endpoint = try Socket.endpoint(of: number, .local)
                try Socket.prepareInherited(number)
                found["\(endpoint.address.contains(":") ? "6" : "4"):\(endpoint.port)"] = number
            } catch {}
        }
        return found
    }
}
