internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// Anvil is asked before an exchange from a remote address begins, and told how it ended (auth.md 5, 13).
extension AuthService {
    static let anvilToken: UInt64 = 2

    /// Master gave a channel to anvil, at the start or after anvil was started again. It keeps no retired auth alive.
    func setAnvil(_ channel: Channel) {
        loseAnvil()
        guard watch(channel.number, Self.anvilToken) else { return }
        anvil = channel
    }

    private func loseAnvil() {
        guard let old = anvil else { return }
        loop.poller.remove(old.number)
        anvil = nil
        penalties.giveUpAsking(now: Clock.milliseconds)
    }

    /// Starts an exchange, or lets it wait at the door. Without anvil nobody waits.
    func begin(_ key: RequestKey, mechanism: String, initial: [UInt8]?, origin: Origin, now: Int64) {
        if delayed.holds(key) || penalties.holds(key) {
            return endChannel(key.channel, because: "request \(key.id) is already in use")
        }
        guard let address = Penalty.name(origin), let anvil else {
            return handle(authenticator.begin(key, mechanism: mechanism, initial: initial, origin: origin, now: now), key, now: now)
        }
        guard penalties.count(channel: key.channel) < Limits.requests else {
            return endChannel(key.channel, because: "more than \(Limits.requests) requests at once")
        }
        let number = penalties.ask(.init(key: key, mechanism: mechanism, initial: initial, origin: origin), now: now)
        tell(.penalty(AddressQuery(address: address)), number, anvil)
    }

    /// The next exchange that has waited long enough.
    func beginDue(_ now: Int64) {
        guard let next = penalties.due(now) else { return }
        handle(
            authenticator.begin(next.key, mechanism: next.mechanism, initial: next.initial, origin: next.origin, now: now), next.key,
            now: now)
    }

    /// True, and the channel's end, when a request is answered that has not begun.
    func isPremature(_ key: RequestKey) -> Bool {
        guard penalties.holds(key) else { return false }
        endChannel(key.channel, because: "request \(key.id) is answered before its challenge")
        return true
    }

    /// Passes on what the core wants remembered.
    func reportPenalties() {
        guard !authenticator.penaltyChanges.isEmpty else { return }
        let changes = authenticator.penaltyChanges
        authenticator.penaltyChanges.removeAll()
        for change in changes {
            guard let anvil else { return }
            tell(.setPenalty(PenaltyUpdate(address: change.address, value: change.value, checksum: change.checksum)), 0, anvil)
        }
    }

    func readAnvil(_ channel: Channel, _ readiness: Readiness) {
        do throws(ChannelError) {
            if readiness.contains(.writable) { try channel.flush() }
            while let received = try channel.receive(AnvilToService.self) {
                guard case .penalty(let answer) = received.message else { continue }
                penalties.receive(received.request, value: answer.value, secondsAgo: answer.secondsAgo, now: Clock.milliseconds)
            }
            try loop.watch(channel, Self.anvilToken)
        } catch { endAnvil(error) }
    }

    private func tell(_ message: ServiceToAnvil, _ request: UInt32, _ channel: Channel) {
        do throws(ChannelError) {
            try channel.send(message, request: request)
            try loop.watch(channel, Self.anvilToken)
        } catch { endAnvil(error) }
    }

    /// Master gives a new channel when anvil runs again. An anvil that only is slow is kept: those who ask it wait a second.
    private func endAnvil(_ error: ChannelError) {
        if error == .queueFull { return }
        if error != .closed { log.error("anvil channel: \(error)") }
        loseAnvil()
    }
}
