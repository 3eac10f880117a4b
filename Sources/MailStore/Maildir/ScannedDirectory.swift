internal import Platform

/// When a directory was scanned, and whether it must be scanned again (reference/storage.md 9).
///
/// The clock that dates changes ticks every few milliseconds, so two changes can leave the same time, and the second is not seen. A directory
/// is therefore *sealed* before it is scanned, or after a change of our own: given a time a few microseconds above its own, which no change can give
/// it, so that any change shows. Where that is not possible, one that had just changed is scanned once more when a second is over.
struct ScannedDirectory: Equatable {
    /// Its modification time.
    private(set) var modified: Int64 = -1
    /// Wall clock at the scan; `.max`: it is sealed.
    private var scannedAt: Int64 = 0
    /// When we changed it first since the last scan; 0: never.
    private var changedSince: Int64 = 0

    static let granularity: Int64 = 1_000_000_000
    /// Another program's change in the microseconds between one of ours and its seal would stay unseen: so, while we change a directory,
    /// it is scanned this often all the same.
    private static let longestTrust: Int64 = 600_000_000_000

    init() {}

    /// As `numbers` says.
    init(modified: Int64, scannedAt: Int64, changedSince: Int64) {
        (self.modified, self.scannedAt, self.changedSince) = (modified, scannedAt, changedSince)
    }

    var numbers: [Int64] { [modified, scannedAt, changedSince] }

    var isSealed: Bool { scannedAt == .max }

    /// Whether nothing can have changed before the scan with the same time as after it.
    var isSettled: Bool { scannedAt == .max || scannedAt - modified >= Self.granularity }

    func needsScan(_ status: FileStatus) -> Bool {
        guard status.modified == modified else { return true }
        if scannedAt == .max { return changedSince != 0 && Self.now - changedSince > Self.longestTrust }
        return scannedAt - modified < Self.granularity && Self.now - modified > Self.granularity
    }

    mutating func scanned(_ before: FileStatus, isSealed: Bool) {
        modified = before.modified
        scannedAt = isSealed ? .max : Self.now
        changedSince = 0
    }

    mutating func forget() { modified = -1 }

    /// We changed the directory ourselves since `before`, and sealed it.
    mutating func changedByUs(before: FileStatus, sealed: Int64) {
        guard before.modified == modified, isSettled else { return forget() }
        modified = sealed
        scannedAt = .max
        if changedSince == 0 { changedSince = Self.now }
    }

    /// The same without a seal: that alone is no reason to scan now, but for a second look soon.
    mutating func changedByUs(before: FileStatus, after: FileStatus) {
        guard before.modified == modified else { return }
        modified = after.modified
        scannedAt = modified
    }

    static var now: Int64 {
        let wall = Clock.wall
        return wall.seconds * 1_000_000_000 + wall.microseconds * 1_000
    }
}

extension Folder {
    /// Seals a directory that has just changed; answers its new modification time, or nil where the file system or our rights do not allow it.
    func seal(after earlier: Int64 = 0) -> Int64? {
        guard let before = try? directory.status() else { return nil }
        // Below the next tick of the clock, so that a change never makes it younger than it was; by chance, so that two who seal differ.
        let wanted = max(earlier, before.modified) + Int64.random(in: 1..<50_000)
        guard (try? directory.descriptor.setModified(wanted)) != nil, let after = try? directory.status(), after.modified == wanted else {
            return nil
        }
        return wanted
    }

    /// Status; throws `.mailboxGone` when the directory was deleted.
    func checkedStatus() throws(StoreError) -> FileStatus {
        let status = try status()
        guard status.links > 0 else { throw .mailboxGone("Mailbox was deleted under us") }
        return status
    }

    /// A directory that has just changed is sealed before it is scanned, unless its time is the seal of another session.
    func sealedForScan(_ known: ScannedDirectory?) throws(StoreError) -> (status: FileStatus, isSealed: Bool) {
        let status = try checkedStatus()
        if let known, known.isSealed, known.modified == status.modified { return (status, true) }
        let age = ScannedDirectory.now - status.modified
        guard age < ScannedDirectory.granularity, age > -ScannedDirectory.granularity, let sealed = seal() else { return (status, false) }
        let after = try checkedStatus()
        return (after, after.modified == sealed)
    }

    /// Files in it, as a Maildir counts.
    func countFiles() -> Int? {
        var count = 0
        guard (try? directory.forEachEntry { if $0.name.first != ASCII.dot { count += 1 } }) != nil else { return nil }
        return count
    }
}
