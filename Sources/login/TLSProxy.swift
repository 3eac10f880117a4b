internal import Platform

/// Carries bytes between a TLS client and the mail process that serves it; holds a buffer only while one side does not take what the other sent.
final class TLSProxy {
    let server: FileDescriptor
    private var toServer: [UInt8] = []
    private var toClient: [UInt8] = []
    /// How much of `toClient` OpenSSL has taken.
    private var taken = 0
    private var clientWantsWrite = false
    private var serverHasEnded = false

    init(_ server: consuming FileDescriptor) { self.server = server }

    var clientInterest: Readiness {
        var interest: Readiness = []
        if toServer.isEmpty { interest.insert(.readable) }
        if !toClient.isEmpty || clientWantsWrite { interest.insert(.writable) }
        return interest
    }

    var serverInterest: Readiness {
        var interest: Readiness = []
        if toClient.isEmpty && !serverHasEnded { interest.insert(.readable) }
        if !toServer.isEmpty { interest.insert(.writable) }
        return interest
    }

    enum Progress { case waiting, again, over }

    /// Moves what can be moved without waiting. `.again`: there is more, perhaps inside OpenSSL where it wakes no poll; a bounded number of
    /// rounds, because one session must not starve the others of a shared process.
    func pump(_ client: Transport) -> Progress {
        defer {
            // A session that waits holds no memory for what it may say next.
            if toServer.isEmpty { toServer = [] }
            if toClient.isEmpty { toClient = [] }
        }
        var (goesUp, goesDown) = (true, true)
        for _ in 0..<Self.rounds {
            // A direction that came to its end is not asked again: that would be a system call for each round of the other one.
            if goesUp {
                guard let moved = moveUp(client) else { return .over }
                goesUp = moved
            }
            if goesDown {
                guard let moved = moveDown(client) else { return .over }
                goesDown = moved
            }
            if serverHasEnded && toClient.isEmpty { return .over }
            if !goesUp && !goesDown { return .waiting }
        }
        return .again
    }

    private static let rounds = 16
    /// Bytes that are taken from the mail process at once: several records of TLS, and room for what it writes at once.
    private static let downward = 4 * Transport.unit

    /// Client to mail process; nil: over. True: something moved.
    private func moveUp(_ client: Transport) -> Bool? {
        clientWantsWrite = false
        if toServer.isEmpty {
            switch client.read(appendingTo: &toServer) {
            case .moved: break
            case .wantRead: return false
            case .wantWrite:
                clientWantsWrite = true
                return false
            case .ended: return nil
            }
        }
        do throws(SystemError) {
            toServer.removeFirst(try server.write(toServer[...]))
        } catch {
            return error.isWouldBlock ? false : nil
        }
        return true
    }

    /// Mail process to client.
    private func moveDown(_ client: Transport) -> Bool? {
        if toClient.isEmpty {
            if serverHasEnded { return false }
            do throws(SystemError) {
                if try server.read(appendingTo: &toClient, atMost: Self.downward) == 0 {
                    serverHasEnded = true
                    return false
                }
            } catch {
                return error.isWouldBlock ? false : nil
            }
        }
        while taken < toClient.count {
            switch client.write(toClient[taken...]) {
            case .moved(let count): taken += count
            case .wantRead, .wantWrite: return false
            case .ended: return nil
            }
        }
        taken = 0
        toClient.removeAll(keepingCapacity: true)
        return true
    }
}
