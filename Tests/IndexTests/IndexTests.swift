import Glibc
import Platform
import Testing

@testable import Index

/// A directory for one test.
private final class Scratch {
    let path = "/tmp/culver-index-\(Process.id)-\(UInt64.random(in: 0 ... .max))"
    private(set) var reports: [String] = []

    init() throws { try FileSystem.makeDirectory(path, mode: 0o700) }

    deinit { FileSystem.removeTree(path) }

    func directory() throws -> Directory { try Directory.open(path: path) }

    /// Each call is another user of the file, as another process would be.
    func index() throws -> Index { Index(in: try directory(), mode: 0o600) { self.reports.append($0) } }

    var file: [UInt8] { IndexFile.name }

    func change(_ body: (borrowing FileDescriptor) throws -> Void) throws {
        let directory = try directory()
        try body(try directory.file(file, .append))
    }

    func content() throws -> [UInt8] { try directory().file(file, .read).readAll(limit: 1 << 30) }

    func replace(_ content: [UInt8]) throws {
        let directory = try directory()
        try? directory.removeFile(file[...])
        try directory.file(file, .create(mode: 0o600)).writeAll(content)
    }
}

@Suite("An index")
struct IndexTests {
    private let key: [UInt8] = [1, 2, 3]

    @Test("what one writes, another reads")
    func shared() throws {
        let scratch = try Scratch()
        let (one, two) = (try scratch.index(), try scratch.index())
        one.write { (transaction) throws(IndexError) in
            try transaction.put([1], [10])
            try transaction.put([1, 1], [11])
            try transaction.put([2], [])
        }
        var found: [[UInt8]] = []
        let value = two.read { (transaction) throws(IndexError) in
            try transaction.forEach(prefix: [1]) { (key, value) throws(IndexError) in
                found.append(key + value)
                return true
            }
            return [try transaction.value([1]), try transaction.value([2]), try transaction.value([3])]
        }
        #expect(value == [[10], [], nil])
        #expect(found == [[1, 10], [1, 1, 11]])
        two.write { (transaction) throws(IndexError) in try transaction.removeAll(prefix: [1]) }
        #expect(one.read { (transaction) throws(IndexError) in try transaction.value([1, 1]) } == .some(nil))
        #expect(one.isShared && two.isShared && scratch.reports.isEmpty)
    }

    @Test("what threw is not written")
    func abandoned() throws {
        let index = try Scratch().index()
        index.write { (transaction) throws(IndexError) in try transaction.put([1], [1]) }
        let scratch = try Scratch()
        let other = try scratch.index()
        other.write { (transaction) throws(IndexError) in try transaction.put([7], [7]) }
        var isFirst = true
        other.write { (transaction) throws(IndexError) in
            if isFirst {
                isFirst = false
                try transaction.put([8], [8])
                throw .damaged("for the test")
            }
        }
        // Damage throws everything away.
        #expect(other.read { (transaction) throws(IndexError) in try transaction.value([7]) } == .some(nil))
        #expect(other.read { (transaction) throws(IndexError) in try transaction.value([8]) } == .some(nil))
        #expect(scratch.reports.count == 1)
    }

    @Test("removed while it is open, it is made anew, and both users share the new one")
    func removed() throws {
        let scratch = try Scratch()
        let (one, two) = (try scratch.index(), try scratch.index())
        one.write { (transaction) throws(IndexError) in try transaction.put(key, [1]) }
        #expect(two.read { (transaction) throws(IndexError) in try transaction.value(key) } == [1])
        let directory = try scratch.directory()
        try directory.removeFile(scratch.file[...])
        #expect(two.read { (transaction) throws(IndexError) in try transaction.value(key) } == .some(nil))
        one.write { (transaction) throws(IndexError) in try transaction.put(key, [2]) }
        #expect(two.read { (transaction) throws(IndexError) in try transaction.value(key) } == [2])
        #expect(scratch.reports.isEmpty)
    }

    @Test(
        "a file that is no index, or a part of one, is replaced",
        arguments: [
            { _ in Array("garbage".utf8) }, { _ in [UInt8](repeating: 0, count: 20_000) },
            { _ in (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 7) } },
            { Array($0.prefix(4_096)) }, { Array($0.prefix(8_192)) }, { Array($0.dropLast(4_096)) }, { Array($0.dropLast(100)) },
            { Array($0.dropFirst(4_096)) },
        ] as [@Sendable ([UInt8]) -> [UInt8]])
    func damagedFile(_ damage: @Sendable ([UInt8]) -> [UInt8]) throws {
        let scratch = try Scratch()
        do {
            let index = try scratch.index()
            for number in 0..<200 {
                index.write { (transaction) throws(IndexError) in try transaction.put([UInt8(number)], [UInt8](repeating: 1, count: 1_000))
                }
            }
        }
        try scratch.replace(damage(try scratch.content()))
        let index = try scratch.index()
        #expect(index.read { (transaction) throws(IndexError) in try transaction.value([5]) } == .some(nil))
        index.write { (transaction) throws(IndexError) in try transaction.put(key, [9]) }
        #expect(try scratch.index().read { (transaction) throws(IndexError) in try transaction.value(key) } == [9])
        #expect(scratch.reports.count == 1)
    }

    @Test("cut while it is open, it is replaced before anybody reads behind its end")
    func cut() throws {
        let scratch = try Scratch()
        let index = try scratch.index()
        index.write { (transaction) throws(IndexError) in
            for number in 0..<200 { try transaction.put([UInt8(number)], [UInt8](repeating: 1, count: 1_000)) }
        }
        try scratch.change { try $0.truncate(to: 12_288) }
        #expect(index.read { (transaction) throws(IndexError) in try transaction.value([150]) } == .some(nil))
        #expect(scratch.reports.count == 1)
    }

    @Test("of another boot, it is thrown away without a word")
    func otherBoot() throws {
        let scratch = try Scratch()
        let directory = try scratch.directory()
        for (boot, expected) in [(1, nil), (1, [UInt8(5)]), (2, nil)] as [(UInt8, [UInt8]?)] {
            let file = try IndexFile.open(in: directory, mode: 0o600, bootID: [boot]) { Issue.record("\($0)") }
            #expect(try file.read { (transaction) throws(IndexError) in try transaction.value(key) } == .some(expected))
            _ = try file.write { (transaction) throws(IndexError) in try transaction.put(key, [5]) }
        }
    }

    @Test("where nothing can be written, it lives in memory")
    func unwritable() throws {
        let scratch = try Scratch()
        let directory = try scratch.directory()
        try directory.makeDirectory(scratch.file[...], mode: 0o700)
        let index = try scratch.index()
        index.write { (transaction) throws(IndexError) in
            for number in [5, 3, 4] as [UInt8] { try transaction.put([number], [number]) }
        }
        var keys: [[UInt8]] = []
        index.read { (transaction) throws(IndexError) in
            try transaction.forEach(prefix: [], from: [4]) { (key, _) throws(IndexError) in
                keys.append(key)
                return true
            }
        }
        #expect(keys == [[4], [5]])
        #expect(!index.isShared && scratch.reports.count == 1)
    }

    @Test("who has it alone may read and write in it; others wait")
    func alone() throws {
        let scratch = try Scratch()
        let index = try scratch.index()
        let other = try IndexFile.open(in: try scratch.directory(), mode: 0o600, bootID: []) { _ in }
        _ = other
        let result = index.alone { () -> [UInt8]? in
            index.write { (transaction) throws(IndexError) in try transaction.put(key, [4]) }
            return index.read { (transaction) throws(IndexError) in try transaction.value(key) } ?? nil
        }
        #expect(result == [4])
    }

    @Test("killed at any moment, it is whole")
    func killed() throws {
        let scratch = try Scratch()
        _ = try scratch.index().read { (transaction) throws(IndexError) in try transaction.value(key) }
        for round in 0..<30 {
            guard case .parent(let pid) = try Process.fork() else {
                // Two keys that are always equal, and much else, until the end.
                guard let index = try? scratch.index() else { Platform.Process.exit(1) }
                var number: UInt8 = 0
                while true {
                    number &+= 1
                    index.write { (transaction) throws(IndexError) in
                        try transaction.put([1], [number])
                        for other in 0..<20 as Range<UInt8> {
                            try transaction.put([2, other &* number], [UInt8](repeating: number, count: 700))
                        }
                        try transaction.put([3], [number])
                    }
                }
            }
            FileLockOwner.pause(nanoseconds: Int64(2_000_000 + round * 371_000))
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            let pair = try scratch.index().read { (transaction) throws(IndexError) in
                [try transaction.value([1]), try transaction.value([3])]
            }
            #expect(pair?[0] == pair?[1])
        }
        #expect(scratch.reports.isEmpty)
    }

    @Test("a process that crashes while it uses it takes it along, one that crashes elsewhere does not", arguments: [true, false])
    func crash(_ isInside: Bool) throws {
        let scratch = try Scratch()
        let index = try scratch.index()
        index.write { (transaction) throws(IndexError) in try transaction.put([1], [1]) }
        index.rest()
        guard case .parent(let pid) = try Platform.Process.fork() else {
            Index.prepare()
            guard let index = try? scratch.index() else { Platform.Process.exit(1) }
            index.read { (transaction) throws(IndexError) in
                _ = try transaction.value([1])
                if isInside { abort() }
            }
            abort()
        }
        var status: Int32 = 0
        unsafe waitpid(pid, &status, 0)
        #expect(status & 0x7f == SIGABRT)
        #expect(index.read { (transaction) throws(IndexError) in try transaction.value([1]) } == .some(isInside ? nil : [1]))
    }
}
