/// What the doc comments of the messages say; the test reads it from the sources, so each sentence is written once.
package struct ProtocolComments {
    /// By direction: `LoginToAuth`.
    package var directions: [String: String] = [:]
    /// By message: `LoginToAuth.begin`.
    package var messages: [String: String] = [:]
    /// By message, then by field.
    package var fields: [String: [String: String]] = [:]

    package init() {}
}

extension ProtocolDocument {
    /// The whole of docs/ipc-protocol.md.
    package static func rendered(with comments: ProtocolComments) -> String {
        var text = introduction
        text += "\n## Channels\n\n| channel | messages |\n|---|---|\n"
        for channel in channels {
            text += "| [\(channel.title)](#\(anchor(channel.title))) | \(channel.directions.map { $0.channel }.joined(separator: ", ")) |\n"
        }
        for channel in channels {
            text += "\n### \(channel.title)\n\n\(channel.socket)\n\nWho has an end: \(channel.permission)\n"
            for direction in channel.directions { text += rendered(direction, comments) }
        }
        return text
    }

    private static func rendered<Direction: Message>(_ direction: Direction.Type, _ comments: ProtocolComments) -> String {
        var text = "\n#### \(Direction.channel)\n\n\(comments.directions[Direction.channel] ?? "")\n"
        text += "\nFrames of at most \(Direction.maximumFrame) bytes.\n"
        for message in Direction.all {
            let name = "\(Direction.channel).\(message.name)"
            let size = LargestPayload.of(message)
            var facts = size == 0 ? "no payload" : "payload at most \(size) bytes"
            if message.descriptorCount > 0 { facts += ", \(message.descriptorCount) descriptor" }
            text += "\n**\(message.kind) \(message.name)** (\(facts)): \(comments.messages[name] ?? "")\n"
            let fields = described(message)
            guard !fields.isEmpty else { continue }
            text += "\n| field | type | |\n|---|---|---|\n"
            for field in fields { text += "| \(field.name) | \(field.type) | \(comments.fields[name]?[field.name] ?? "") |\n" }
        }
        return text
    }

    private static func described(_ message: some Message) -> [(name: String, type: String)] {
        var describer = FieldDescriber()
        var copy = message
        do throws(FrameError) { try copy.visit(&describer) } catch { return [] }
        return describer.fields.map { field in
            let name = field.prefix { $0 != ":" }
            return (String(name), String(field.dropFirst(name.count + 2)))
        }
    }

    /// As the usual renderers make it from a heading.
    private static func anchor(_ title: String) -> String { String(title.lowercased().map { $0 == " " ? "-" : $0 }) }
}
