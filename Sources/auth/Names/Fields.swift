/// What databases say about a user, in the order it was said: `name=value`, or a bare name (auth.md 10).
struct FieldList: Equatable, Sendable {
    private(set) var entries: [(name: String, value: String?)] = []

    static func == (left: FieldList, right: FieldList) -> Bool {
        left.entries.elementsEqual(right.entries) { $0.name == $1.name && $0.value == $1.value }
    }

    init() {}

    init(_ pairs: [(String, String?)]) { for (name, value) in pairs { set(name, value) } }

    var isEmpty: Bool { entries.isEmpty }

    func has(_ name: String) -> Bool { entries.contains { $0.name == name } }

    /// The value; a bare name has an empty one.
    subscript(_ name: String) -> String? { entries.first { $0.name == name }.map { $0.value ?? "" } }

    /// Sets a field; a suffix `:protected` or `:default` sets it only if it is not there, `:remove` takes it away.
    mutating func set(_ written: String, _ value: String?) {
        var name = written
        var isProtected = false
        if let colon = written.lastIndex(of: ":") {
            let plain = String(written[..<colon])
            switch written[written.index(after: colon)...] {
            case "protected", "default": (name, isProtected) = (plain, true)
            case "remove": return remove(plain)
            default: break
            }
        }
        guard !name.isEmpty else { return }
        if let index = entries.firstIndex(where: { $0.name == name }) {
            if !isProtected { entries[index].value = value }
        } else if entries.count < Limits.fields {
            entries.append((name, value))
        }
    }

    mutating func setDefault(_ name: String, _ value: String?) { if !has(name) { set(name, value) } }

    mutating func remove(_ name: String) { entries.removeAll { $0.name == name } }

    /// Those whose name begins so, without that beginning.
    func beneath(_ prefix: String) -> FieldList {
        var found = FieldList()
        for (name, value) in entries where name.hasPrefix(prefix) { found.set(String(name.dropFirst(prefix.count)), value) }
        return found
    }

    func without(prefix: String) -> FieldList {
        var rest = self
        rest.entries.removeAll { $0.name.hasPrefix(prefix) }
        return rest
    }
}
