internal import Confinement
internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// Workers of a mail service: who serves a session, who ended, who waits.
extension SessionZygote {
    /// Gives a session to an idle worker of the same uid, to an unused one, or to a new one; false when there is no room.
    func serve(_ id: UInt64, _ waiting: Pending, _ user: UserRecord) -> Bool {
        var worker: Int32?
        if let known = idle.first(where: { zygote.pool.hasRoom($0.key) && ($0.value == nil || $0.value == user.uid) }) {
            let start = AssignedSession(user: user, handOver: waiting.handOver)
            idle[known.key] = nil
            zygote.pool.assigned(to: known.key)
            if zygote.send(.session(start), to: known.key, descriptors: [waiting.client]) { worker = known.key }
        }
        if worker == nil {
            if !zygote.pool.mayStart, !retireIdle() { return false }
            guard zygote.pool.mayStart else { return false }
            worker = zygote.fork(clients: 1, keeping: [waiting.client]) { control in
                self.makeWorker(control).work(
                    first: SessionWorker.Assignment(user, waiting.handOver, FileDescriptor(adopting: waiting.client)),
                    program: self.programs.worker)
            }
        }
        guard let worker else { return false }
        pending[id] = nil
        queued.removeAll { $0 == id }
        closeDescriptor(waiting.client)
        running[worker] = Running(
            id: id, user: user.user, address: waiting.handOver.connection.remoteAddress, session: waiting.handOver.session, uid: user.uid,
            gid: user.gid)
        tellAnvil(.started(.init(id: id, pid: UInt32(bitPattern: worker))))
        answer(waiting, .accepted(.init(pid: UInt32(bitPattern: worker))))
        _ = zygote.send(.begin, to: worker)
        keepReady()
        return true
    }

    /// All processes exist, but one waits for a session of another uid: it makes room.
    func retireIdle() -> Bool {
        guard let other = idle.first(where: { $0.value != nil })?.key else { return false }
        idle[other] = nil
        _ = zygote.send(.retire, to: other)
        return false  // served when it has ended
    }

    func reported(by pid: Int32, _ message: WorkerToZygote) {
        if case .watchWanted = message { return wantsWatch(pid) }
        guard case .sessionEnded = message, let session = running.removeValue(forKey: pid) else { return }
        tellAnvil(.left(.init(id: session.id)))
        _ = zygote.pool.reported(pid, clients: 0, unixTime: Clock.unixSeconds)
        if let worker = zygote.pool.workers[pid], zygote.pool.freeSlots(of: worker) > 0 {
            idle[pid] = session.uid
        } else {
            _ = zygote.send(.retire, to: pid)
        }
        capacityChanged()
    }

    func workerEnded(_ pid: Int32, _ status: ExitStatus) {
        idle[pid] = nil
        for (uid, watcher) in watchers where watcher == pid { watchers[uid] = nil }
        if let session = running.removeValue(forKey: pid) { tellAnvil(.left(.init(id: session.id))) }
    }

    func capacityChanged() {
        while let id = queued.first {
            guard let waiting = pending[id], let user = waiting.user else {
                queued.removeFirst()
                continue
            }
            guard serve(id, waiting, user) else { break }
        }
        keepReady()
    }

    /// Who waits has nobody left to wait for; who comes now waits for the next try.
    func throttled() {
        guard zygote.pool.workers.isEmpty else { return }
        for id in queued {
            refuse(
                id, "UNAVAILABLE", "Internal error, try again later.",
                log: "service(\(startup.order.service)): its processes fail to start; the lines before tell why")
        }
    }

    func keepReady() {
        for _ in 0..<zygote.pool.missing where isAccepting { if !startIdle() { break } }
    }

    /// In the child.
    private func makeWorker(_ control: Channel) -> SessionWorker {
        SessionWorker(startup, zygote: pid, control: control, signals: zygote.signals, template: template)
    }

    /// process_min_avail: a worker that waits for its first session.
    func startIdle() -> Bool {
        let pid = zygote.fork(clients: 0, keeping: []) { control in
            self.makeWorker(control).work(first: nil, program: self.programs.worker)
        }
        guard let pid else { return false }
        idle[pid] = .some(nil)
        return true
    }

    func tick(_ now: Int64) {
        for id in queued {
            guard let waiting = pending[id], now - waiting.since > Self.queueTime else { continue }
            refuseFull(id)
        }
    }

    // MARK: sessions of a dead predecessor

    func adopted(_ pid: Int32) {
        lastID += 1
        running[pid] = Running(id: 0, user: "", address: "", session: "", isAdopted: true, uid: 0)
        tellAnvil(.adopt(.init(pid: UInt32(bitPattern: pid))))
    }

    func adopted(_ session: SessionRequest) {
        let pid = Int32(bitPattern: session.pid)
        guard running[pid] != nil else { return tellAnvil(.left(.init(id: session.id))) }
        running[pid] = Running(
            id: session.id, user: session.user, address: session.address, session: session.session, isAdopted: true, uid: 0)
    }

    func sessionName(of pid: Int32) -> (user: String, session: String) {
        running[pid].map { ($0.user, $0.session) } ?? ("", "")
    }
}
