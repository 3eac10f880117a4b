/// One assignment as a file makes it, resolved to the place where it holds.
struct Assignment: Sendable {
    let filter: ConnectionFilter
    /// `["service", "imap", "unix_listener", "login/imap"]`; empty for global settings.
    let path: [String]
    /// In the words of the file's dialect, with the prefixes of 2.4 sections put in front.
    let name: String
    /// Member of a list that is switched on or off (2.4: `protocols { imap = yes }`).
    let element: String?
    /// With `$` references of 2.3 replaced.
    let value: String
    let written: WrittenValue
    let location: SourceLocation
    let valueLocation: SourceLocation
    /// nil for the keys of a map.
    let setting: Setting?
    /// Came through `@label = name` (2.4): whatever is set explicitly wins.
    let isFromGroup: Bool
}

/// A named section that appeared, even if it is empty.
struct Declaration: Sendable, Hashable {
    let filter: ConnectionFilter
    let path: [String]
    let location: SourceLocation
}

/// What all files say, in order.
struct Document: Sendable {
    var dialect: Dialect = .v23
    var mainFile = ""
    var assignments: [Assignment] = []
    var declarations: [Declaration] = []
    /// Sections without meaning here, with what happens instead.
    var foreign: [(name: String, sentence: String, location: SourceLocation)] = []
}

/// A section that is open while files are read.
struct Frame {
    enum Kind {
        case root
        /// 0 local, 1 local_name, 2 remote, 3 protocol: the order in which they may be nested.
        case filter(rank: Int)
        case record(RecordKind)
        /// Members of a list or keys of a map.
        case list(Setting)
        case map
        /// `ssl_server { … }`
        case prefix(String)
        /// Of a feature that is not there.
        case foreign(name: String, sentence: String)
        case group(String)
        /// Unknown; read on without further errors.
        case skipped
    }

    var kind: Kind
    var filter: ConnectionFilter
    var path: [String]
    let key: String
    let location: SourceLocation
    var isUsed = false
}
