internal import Platform

/// A lock file `NAME.lock` beside the file it guards, as all programs on a Maildir understand it (reference/storage.md 18).
/// Letting go of it removes the file.
struct DotLock: ~Copyable {
    private let folder: Folder
    private let name: [UInt8]
    private let file: FileDescriptor
    private let created: FileStatus
    private var touched: Int64

    /// A lock file with this mode is held with flock(2) as well: whoever can take that knows that the holder died, without the
    /// right to signal it. Dovecot's lock files have no execute bit.
    private static let flockedMode: UInt32 = 0o700

    struct Rules {
        /// Nanoseconds to wait.
        var wait: Int64
        /// Seconds after which a lock that nobody touches is stale.
        var stale: Int64 = StoreLimits.lockStale
        var probesOwner = true
        var hostname = ""
    }

    /// Waits for the lock of `guarded`. Throws `.lockTimeout`. `log` hears of overridden locks.
    static func take(_ guarded: [UInt8], in folder: Folder, _ rules: Rules, log: (String) -> Void) throws(StoreError) -> DotLock {
        let name = guarded + Array(".lock".utf8)
        let end = Clock.monotonicNanoseconds + rules.wait
        var pause: Int64 = 1_000_000
        while true {
            do throws(SystemError) {
                let file = try folder.directory.file(name, .create(mode: Self.flockedMode))
                let created = try file.status()
                do throws(SystemError) {
                    guard try holds(file, created, name, in: folder) else { continue }
                    try file.writeAll(Array("\(Process.id):\(rules.hostname)".utf8))
                } catch {
                    try? folder.directory.removeFile(name[...])
                    throw error
                }
                return DotLock(folder: folder, name: name, file: file, created: created, touched: Clock.monotonicNanoseconds)
            } catch {
                guard error.isExists else { throw folder.failure(error, name[...]) }
            }
            if try removeIfStale(name, in: folder, rules, log: log) { continue }
            guard Clock.monotonicNanoseconds < end else {
                throw .lockTimeout(path: folder.path + "/" + String(decoding: name, as: UTF8.self))
            }
            FileLockOwner.pause(nanoseconds: pause)
            pause = min(pause * 2, 20_000_000)
        }
    }

    /// Takes the flock of a lock file just made; false when somebody found it without one and removed it: whoever is killed at any moment
    /// leaves a lock that is known to be stale at once. On a file system without flock the file gets the mode of a plain lock.
    private static func holds(_ file: borrowing FileDescriptor, _ created: FileStatus, _ name: [UInt8], in folder: Folder)
        throws(SystemError) -> Bool
    {
        for _ in 0..<50 {
            let isLocked = file.tryLockExclusively()
            guard let now = try folder.directory.statusIfPresent(of: name[...]), now.isSameFile(as: created) else { return false }
            if isLocked { return true }
            FileLockOwner.pause(nanoseconds: 1_000_000)  // somebody looks at it
        }
        try file.setMode(0o600)
        return true
    }

    private init(folder: Folder, name: [UInt8], file: consuming FileDescriptor, created: FileStatus, touched: Int64) {
        self.folder = folder
        self.name = name
        self.file = file
        self.created = created
        self.touched = touched
    }

    deinit {
        // Somebody who thought it stale may have replaced it: then it is theirs.
        if let now = try? folder.directory.status(of: name[...]), now.isSameFile(as: created) {
            try? folder.directory.removeFile(name[...])
        }
    }

    /// Tells others that the holder lives; call it during long work, as often as you like.
    mutating func touch() {
        let now = Clock.monotonicNanoseconds
        guard now - touched > 10_000_000_000 else { return }
        touched = now
        let wall = Clock.wall
        try? file.setModified(wall.seconds * 1_000_000_000 + wall.microseconds * 1_000)
    }

    /// Removes a lock whose owner is gone; true when it is worth trying again. Two who do this at once are kept apart by flock
    /// on the directory, or the second would remove the first one's fresh lock. The lock stays open meanwhile: its inode number
    /// cannot be given to another one.
    private static func removeIfStale(_ name: [UInt8], in folder: Folder, _ rules: Rules, log: (String) -> Void) throws(StoreError) -> Bool
    {
        do throws(SystemError) {
            let file = try folder.directory.file(name, .read)
            let found = try file.status()
            guard try isStale(file, found, rules) else { return false }
            // A descriptor of its own: closing it gives the flock back.
            let guardian = try folder.directory.directory([ASCII.dot])
            try guardian.descriptor.lockExclusively()
            guard let again = try folder.directory.statusIfPresent(of: name[...]), again.isSameFile(as: found) else { return true }
            try folder.directory.removeFile(name[...])
        } catch {
            if !error.isNotFound { throw folder.failure(error, name[...]) }
            return true
        }
        log("Lock file \(folder.path)/\(String(decoding: name, as: UTF8.self)) was left behind by a process that ended: removed")
        return true
    }

    private static func isStale(_ file: borrowing FileDescriptor, _ status: FileStatus, _ rules: Rules) throws(SystemError) -> Bool {
        if status.mode == flockedMode {
            guard file.tryLockExclusively() else { return false }
            // Between making it and its flock its holder needs a moment.
            return ScannedDirectory.now - status.changed > makingTime
        }
        let content = try file.readAll(limit: 1_024)
        let fields = content.split(separator: ASCII.colon, maxSplits: 1)
        if rules.probesOwner, fields.count == 2, Array(rules.hostname.utf8)[...] == fields[1], let pid = Decimal.uint32(fields[0]),
            let number = Int32(exactly: pid), !FileLockOwner.exists(number)
        {
            return true
        }
        let age = Clock.unixSeconds - max(status.modified, status.changed) / 1_000_000_000
        return age > (content.isEmpty ? emptyStale : rules.stale)
    }

    /// Nanoseconds in which a lock file may be without its flock.
    private static let makingTime: Int64 = 200_000_000

    /// Seconds after which a lock without content is stale: its holder ended between making and filling it.
    private static let emptyStale: Int64 = 10
}
