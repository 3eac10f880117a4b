internal import Confinement
internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// Who tells sessions of changes in their mailboxes: each itself while few of one user id run, one watcher for all of them otherwise.
extension SessionZygote {
    /// inotify instances that sessions of one user id may have, of the 128 that the kernel gives to it (fs.inotify.max_user_instances).
    private static let ownWatches = 16

    func wantsWatch(_ pid: Int32) {
        guard let session = running[pid] else { return }
        guard !session.isAdopted, running.values.count(where: { $0.uid == session.uid }) > Self.ownWatches,
            let watcher = watcher(of: session)
        else {
            _ = zygote.send(.watchYourself, to: pid)
            return
        }
        do throws(SystemError) {
            let (near, far) = try SocketPair().split()
            defer {
                closeDescriptor(near)
                closeDescriptor(far)
            }
            if zygote.send(.peer(.init(role: "session")), to: watcher, descriptors: [far]) {
                _ = zygote.send(.peer(.init(role: "watcher")), to: pid, descriptors: [near])
            } else {
                _ = zygote.send(.watchYourself, to: pid)
            }
        } catch {
            zygote.log.error("watcher: \(error)")
            _ = zygote.send(.watchYourself, to: pid)
        }
    }

    private func watcher(of session: Running) -> Int32? {
        if let known = watchers[session.uid] { return known }
        let pid = zygote.fork(clients: 0, keeping: [], isHelper: true) { control in
            var circumstances = Confinement.Circumstances(uid: session.uid, gid: session.gid)
            if !Process.isRoot {
                circumstances.uid = Process.effectiveUID
                circumstances.gid = Process.effectiveGID
            }
            circumstances.descriptors = UInt64(64 + self.zygote.pool.limits.processes)
            circumstances.memory = self.startup.order.vszLimit
            do throws(ConfinementError) { try Confinement.mailWatcher.enter(circumstances, program: self.programs.watcher) } catch {
                self.startup.log.fatal("\(error)")
                return 89
            }
            do throws(SystemError) {
                try Watcher(self.startup, control: control).run()
                return 0
            } catch {
                self.startup.log.fatal("watcher: \(error)")
                return 89
            }
        }
        if let pid { watchers[session.uid] = pid }
        return pid
    }
}
