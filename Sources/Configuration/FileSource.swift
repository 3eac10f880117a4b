internal import Platform

/// Where configuration files come from: the disk, or a dictionary in a test.
package protocol FileSource: Sendable {
    /// The whole content of a file; throws the reason why it cannot be had, as errno's text.
    func content(of path: String) throws(FileFailure) -> [UInt8]
    /// The names in a directory; none if there is no such directory.
    func names(in directory: String) -> [String]
}

/// Why a file could not be read.
package struct FileFailure: Error, Equatable, Sendable {
    /// `No such file or directory`
    package let reason: String
    package let isNotFound: Bool

    package init(reason: String, isNotFound: Bool = false) {
        self.reason = reason
        self.isNotFound = isNotFound
    }
}

/// The files of this machine, as the calling process may read them.
package struct SystemFiles: FileSource {
    /// Stands before every absolute path: a tree that was unpacked somewhere else can be read as if it were installed.
    private let root: String

    package init(root: String = "") { self.root = root }

    package func content(of path: String) throws(FileFailure) -> [UInt8] {
        do throws(SystemError) {
            return try NamedFiles.content(of: root + path, limit: Limits.fileSize)
        } catch {
            throw FileFailure(reason: error.reason, isNotFound: error.isNotFound)
        }
    }

    package func names(in directory: String) -> [String] {
        (try? NamedFiles.names(in: root + directory)) ?? []
    }
}

/// Files that exist only in memory.
package struct MemoryFiles: FileSource {
    private let files: [String: [UInt8]]

    /// - Parameter files: absolute path to content.
    package init(_ files: [String: String]) { self.files = files.mapValues { Array($0.utf8) } }

    package init(bytes: [String: [UInt8]]) { files = bytes }

    package func content(of path: String) throws(FileFailure) -> [UInt8] {
        guard let content = files[path] else { throw FileFailure(reason: "No such file or directory", isNotFound: true) }
        return content
    }

    package func names(in directory: String) -> [String] {
        let prefix = directory.hasSuffix("/") ? directory : directory + "/"
        return Set(files.keys.filter { $0.hasPrefix(prefix) }.compactMap { $0.dropFirst(prefix.count).split(separator: "/").first })
            .map { String($0) }
    }
}

/// Bounds of what is read; all far above any real configuration.
enum Limits {
    /// One file, included ones too: 16 MiB (CA bundles are below 1 MiB).
    static let fileSize = 16 << 20
    /// Files within files.
    static let includeDepth = 32
    /// All files of one configuration.
    static let fileCount = 10_000
    /// A value after its references were replaced: `a = $a $a` doubles with each line.
    static let valueLength = 65_536
    /// Sections within sections.
    static let sectionDepth = 32
    /// Errors and warnings that are kept; who has more sees them in the next run.
    static let diagnostics = 500
    /// Errors that get a "did you mean": the search goes through every known name.
    static let suggestions = 50
    /// Steps of a glob match, so that `*a*a*a*b` ends.
    static let globSteps = 100_000
    /// `$SET:` references that refer to others.
    static let referenceDepth = 32
}
