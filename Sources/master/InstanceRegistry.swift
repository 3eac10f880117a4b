internal import Platform

/// `state_dir/instances`: which instances have run here (services.md 22). One line each: last used (Unix time), name, base_dir,
/// configuration; separated by TABs.
struct InstanceRegistry {
    struct Entry: Equatable {
        var lastUsed: Int64
        var name: String
        var base: String
        var configuration: String
    }

    private let path: String

    init(stateDirectory: String) { path = stateDirectory + "/instances" }

    static func parse(_ content: [UInt8]) -> [Entry] {
        content.split(separator: 0x0a).compactMap { line in
            let fields = line.split(separator: 0x09, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
            guard fields.count >= 4, let time = Int64(fields[0]) else { return nil }
            return Entry(lastUsed: time, name: fields[1], base: fields[2], configuration: fields[3])
        }
    }

    /// The entry of a name, for `-i`.
    func find(_ name: String) -> Entry? { Self.parse(FileSystem.content(path) ?? []).first { $0.name == name } }

    /// Notes that an instance is in use now. A name that another base_dir has stays with that one.
    func note(name: String, base: String, configuration: String) throws(SystemError) {
        var entries = Self.parse(FileSystem.content(path) ?? [])
        let isTaken = entries.contains { $0.name == name && $0.base != base }
        let entry = Entry(lastUsed: Clock.unixSeconds, name: isTaken ? "" : name, base: base, configuration: configuration)
        if let index = entries.firstIndex(where: { $0.base == base }) { entries[index] = entry } else { entries.append(entry) }
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
