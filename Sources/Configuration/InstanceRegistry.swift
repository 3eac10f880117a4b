package import Platform

/// `state_dir/instances`: which instances have run here (services.md 22). One line each: last used (Unix time), name, base_dir,
/// configuration; separated by TABs.
package struct InstanceRegistry {
    package struct Entry: Equatable {
        package var lastUsed: Int64
        package var name: String
        package var base: String
        package var configuration: String
    }

    private let path: String

    package init(stateDirectory: String) { path = stateDirectory + "/instances" }

    package static func parse(_ content: [UInt8]) -> [Entry] {
        content.split(separator: 0x0a).compactMap { line in
            let fields = line.split(separator: 0x09, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
            guard fields.count >= 4, let time = Int64(fields[0]) else { return nil }
            return Entry(lastUsed: time, name: fields[1], base: fields[2], configuration: fields[3])
        }
    }

    /// The entry of a name, for `-i`.
    package func find(_ name: String) -> Entry? { Self.parse(FileSystem.content(path) ?? []).first { $0.name == name } }

    /// Notes that an instance is in use now. A name that another base_dir has stays with that one.
    package func note(name: String, base: String, configuration: String) throws(SystemError) {
        var entries = Self.parse(FileSystem.content(path) ?? [])
        let isTaken = entries.contains { $0.name == name && $0.base != base }
        let entry = Entry(lastUsed: Clock.unixSeconds, name: isTaken ? "" : name, base: base, configuration: configuration)
        if let index = entries.firstIndex(where: { $0.base == base }) { entries[index] = entry } else { entries.append(entry) }
        try write(entries)
    }

    /// Every instance that has run here.
    package var entries: [Entry] { Self.parse(FileSystem.content(path) ?? []) }

    /// Forgets an instance by name or base_dir; false when there is none.
    package func remove(_ nameOrBase: String) throws(SystemError) -> Bool {
        let kept = entries.filter { $0.name != nameOrBase && $0.base != nameOrBase }
        guard kept.count < entries.count else { return false }
        try write(kept)
        return true
    }

    private func write(_ entries: [Entry]) throws(SystemError) {
        let text = entries.map { "\($0.lastUsed)\t\($0.name)\t\($0.base)\t\($0.configuration)\n" }.joined()
        let temporary = path + ".\(Process.id)"
        do throws(SystemError) {
            try FileSystem.makeDirectory(String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)), mode: 0o755)
        } catch {
            if !error.isExists { throw error }
        }
        let file = try FileSystem.open(temporary, for: .write)
        try file.writeAll(Array(text.utf8))
        try FileSystem.setMode(temporary, 0o644)
        try FileSystem.rename(temporary, to: path)
    }
}
