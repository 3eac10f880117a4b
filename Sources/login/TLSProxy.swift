internal import Platform

/// Carries bytes between a TLS client and the mail process that serves it; holds a buffer only while one side does not take what the other sent.
final class TLSProxy {
    let server: FileDescriptor
    private var toServer: [UInt8] = []
    private var toClient: [UInt8] = []
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
        for _ in 0..<Self.rounds {
            guard let up = moveUp(client), let down = moveDown(client) else { return .over }
            if serverHasEnded && toClient.isEmpty { return .over }
            if !up && !down { return .waiting }
        }
        return .again
    }

    private static let rounds = 32

    /// Client to mail process; nil: over. True: something moved.
    private func moveUp(_ client: Transport) -> Bool? {
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
        if toServer.isEmpty { toServer = [] }
        return true
    }

    /// Mail process to client.
    private func moveDown(_ client: Transport) -> Bool? {
        clientWantsWrite = false
        if toClient.isEmpty {
            if serverHasEnded { return false }
            do throws(SystemError) {
                if try server.read(appendingTo: &toClient, atMost: Transport.unit) == 0 {
                    serverHasEnded = true
                    return false
                }
            } catch {
                if error.isWouldBlock {
                    toClient = []
                    return false
                }
                return nil
            }
        }
        switch client.write(toClient[...]) {
        case .moved(let count): toClient.removeFirst(count)
        case .wantRead, .wantWrite: return false
        case .ended: return nil
        }
        if toClient.isEmpty { toClient = [] }
        return true
    }
}
