internal import Variables
internal import Platform

/// Users and groups of the system, read once: name services open sockets and files, which this process cannot do later.
struct Accounts: Sendable {
    private var users: [String: UInt32] = [:]
    private var groups: [String: UInt32] = [:]

    /// - Parameter names: what the settings mention; these are asked of every name service, not of the files alone.
    init(users userNames: [String], groups groupNames: [String]) {
        users = Self.numbers(FileSystem.content("/etc/passwd") ?? [])
        groups = Self.numbers(FileSystem.content("/etc/group") ?? [])
        for name in userNames where users[name] == nil { users[name] = Account.user(name)?.uid }
        for name in groupNames where groups[name] == nil { groups[name] = Account.group(name) }
    }

    init(_ users: [String: UInt32], _ groups: [String: UInt32]) {
        self.users = users
        self.groups = groups
    }

    // line = name ":" password ":" number [":" …]                passwd(5), group(5)
    static func numbers(_ content: [UInt8]) -> [String: UInt32] {
        var found: [String: UInt32] = [:]
        for line in content.split(separator: 0x0A) {
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 3, omittingEmptySubsequences: false)
            guard parts.count >= 3, !parts[0].isEmpty, let number = parts[2].number else { continue }
            let name = String(decoding: parts[0], as: UTF8.self)
            if found[name] == nil { found[name] = number }
        }
        return found
    }

    func number(of name: String, isGroup: Bool) -> UInt32? { isGroup ? groups[name] : users[name] }
}

extension AuthSettings {
    /// Names in uid and gid of the settings, as far as they are the same for everybody.
    func constantNames(_ field: String, _ setting: String) -> [String] {
        var names = [setting]
        for block in userdbs {
            for entry in block.defaults + block.overrides where entry.name == field {
                if let template = entry.value, template.isConstant, let text = try? template.expand([:]) { names.append(text) }
            }
        }
        return names.filter { !$0.isEmpty && UInt32($0) == nil }
    }

    /// Directories that hold password files: the rule is for the directory, since a file that is replaced is another file.
    var fileDirectories: [String] {
        var directories: Set<String> = []
        for block in passdbs {
            if case .passwdFile(let path, _, _) = block.driver { directories.insert(Self.directory(path.constantPrefix)) }
        }
        for block in userdbs { if case .passwdFile(let path, _) = block.driver { directories.insert(Self.directory(path.constantPrefix)) } }
        return directories.sorted()
    }

    private static func directory(_ path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}
