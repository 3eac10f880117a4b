package import IPCProtocol
package import Platform

/// The settings of this service, read from its sealed image.
package struct Settings: Sendable {
    package let image: SettingsImage
    private let values: [String: String]

    package init(_ image: SettingsImage) {
        self.image = image
        values = image.blocks.first?.values ?? [:]
    }

    /// Reads the sealed memory file that master gave; throws when it is not sealed or not understood.
    package init(from file: borrowing FileDescriptor) throws(StartFailure) {
        let content: [UInt8]
        do throws(SystemError) { content = try MemoryFile.content(of: file, limit: SettingsImage.maximumSize) } catch {
            throw StartFailure("settings image: \(error)")
        }
        do throws(FrameError) { self.init(try SettingsImage(decoding: content)) } catch {
            throw StartFailure("settings image: \(error)")
        }
    }

    package subscript(_ name: String) -> String { values[name] ?? "" }

    package func bool(_ name: String, default fallback: Bool = false) -> Bool {
        switch values[name] {
        case "yes": true
        case "no": false
        default: fallback
        }
    }

    /// A number; `unlimited` and what is missing give `fallback`.
    package func number(_ name: String, default fallback: Int) -> Int { values[name].flatMap { Int($0) } ?? fallback }

    /// A time in milliseconds; `infinite` and what is missing give `fallback`.
    package func milliseconds(_ name: String, default fallback: Int64) -> Int64 { values[name].flatMap { Int64($0) } ?? fallback }

    package func words(_ name: String) -> [String] { (values[name] ?? "").split(separator: " ").map(String.init) }

    /// All settings whose name begins with `prefix`, without it.
    package func beneath(_ prefix: String) -> [String: String] {
        var found: [String: String] = [:]
        for (key, value) in values where key.hasPrefix(prefix) { found[String(key.dropFirst(prefix.count))] = value }
        return found
    }
}

/// Why a process cannot work: one line to the log, exit status 89 (services.md 10).
package struct StartFailure: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
