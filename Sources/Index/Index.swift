package import Platform

/// A user's index: keys and values that can be derived from the mail again, kept in one LMDB environment (file `culver.index`), which all
/// processes of the user share. Whatever is wrong with the file, it is thrown away and made anew; where it cannot be kept at all it is in memory.
///
/// A closure handed to `read` or `write` may run twice (the second time on an empty index): it must do nothing that cannot be done again.
/// After fork: only the process that opened it may use it.
package final class Index {
    private let directory: Directory
    private let mode: UInt32
    private let report: (String) -> Void
    private var file: IndexFile?
    /// In use instead of a file from the first failure on.
    private var memory: MemoryTree?

    /// `directory` holds the file, which has permissions `mode`. Nothing is opened before the first use. `report` hears what the administrator should know.
    package init(in directory: consuming Directory, mode: UInt32, report: @escaping (String) -> Void) {
        self.directory = directory
        self.mode = mode
        self.report = report
    }

    /// Whether other processes see what is written here.
    package var isShared: Bool { memory == nil }

    /// Whether it was used and is not at rest: using it costs no opening.
    package var isOpen: Bool { file != nil || memory != nil }

    package func read<R>(_ body: (IndexTransaction) throws(IndexError) -> R) -> R? {
        run { (file) throws(IndexError) in
            try file.read(body)
        } memory: { (tree) throws(IndexError) in
            try body(IndexTransaction(.memory(tree)))
        }
    }

    /// Everything that `body` writes is there for others at once, or (when it throws) nothing of it.
    @discardableResult
    package func write<R>(_ body: (IndexTransaction) throws(IndexError) -> R) -> R? {
        run { (file) throws(IndexError) in
            try file.write(body)
        } memory: { (tree) throws(IndexError) in
            try body(IndexTransaction(.memory(tree)))
        }
    }

    /// From now on nothing is shared, nor read from the file: for what is true only for this session.
    package func stayInMemory() {
        file = nil
        memory = memory ?? MemoryTree()
    }

    /// Closes the file until it is used again: for a session that waits.
    package func rest() { file = nil }

    /// Runs `body` once, with all other processes kept out of the index (where it is shared) until it returns; it may use `read` and `write`.
    package func alone<R>(_ body: () -> R) -> R {
        var result: R?
        let done: Void? = run { (file) throws(IndexError) in
            try file.alone { () throws(IndexError) in result = result ?? body() }
        } memory: { (_) throws(IndexError) in
            result = result ?? body()
        }
        _ = done
        return result ?? body()
    }

    private func run<R>(
        _ use: (IndexFile) throws(IndexError) -> R?, memory useMemory: (MemoryTree) throws(IndexError) -> R
    ) -> R? {
        for attempt in 0..<4 where memory == nil {
            do throws(IndexError) {
                let file = try opened()
                if let result = try use(file) { return result }
                // Somebody removed it.
                self.file = nil
            } catch {
                file = nil
                switch error {
                case .damaged(let text):
                    report("Index in \(directory.path): \(text): thrown away, it is made anew")
                    try? directory.removeFile(IndexFile.name[...])
                    if attempt == 3 { giveUp(error.text) }
                case .unusable(let text): giveUp(text)
                }
            }
        }
        if memory == nil { giveUp("it is removed again and again") }
        guard let memory else { return nil }
        do throws(IndexError) { return try useMemory(memory) } catch {
            // What is in memory is ours: this is a value that nobody understands any more. Begin anew.
            report("Index in memory: \(error.text)")
            let fresh = MemoryTree()
            self.memory = fresh
            return try? useMemory(fresh)
        }
    }

    private func giveUp(_ why: String) {
        report("Index in \(directory.path) cannot be used and stays in memory for this session: \(why)")
        memory = MemoryTree()
        file = nil
    }

    private func opened() throws(IndexError) -> IndexFile {
        if let file { return file }
        let file = try IndexFile.open(in: directory, mode: mode, bootID: Self.bootID, report: report)
        self.file = file
        return file
    }

    /// Tells this start of the system from all others; read once, before a process is confined (`prepare`).
    private static let bootID: [UInt8] = {
        guard let system = try? Directory.open(path: "/proc/sys/kernel/random"), let file = try? system.file(Array("boot_id".utf8), .read),
            let text = try? file.readAll(limit: 256), !text.isEmpty
        else {
            // Never equal to another process's: the index lives as long as its user.
            return (0..<16).map { _ in UInt8.random(in: 0 ... .max) }
        }
        return text
    }()

    /// Reads what a confined process cannot, and makes the process and its children remove an index in which they crash.
    package static func prepare() {
        _ = bootID
        // Without it, everything works, but for the remedy against damage that nothing else finds.
        try? IndexFile.removeOnCrash()
    }
}
