import IPCProtocol
import Platform
import Testing

@Suite("The protocol document")
struct DocumentTests {
    private static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
    private static let file = root + "/docs/ipc-protocol.md"
    private static let sources = root + "/Sources/IPCProtocol/Messages"

    @Test("says what the code says (CULVER_WRITE_DOCS=1 writes it again)") func agrees() throws {
        let rendered = ProtocolDocument.rendered(with: try SourceComments(folder: Self.sources).comments)
        if Process.environment("CULVER_WRITE_DOCS") == "1" {
            try FileSystem.open(Self.file, for: .write).writeAll(Array(rendered.utf8))
        }
        let committed = String(decoding: FileSystem.content(Self.file) ?? [], as: UTF8.self)
        let differences = zip(committed.split(separator: "\n"), rendered.split(separator: "\n")).filter { $0 != $1 }
        #expect(committed == rendered, "first difference: \(differences.first.map { "\($0.0) / \($0.1)" } ?? "length")")
    }

    @Test("has every direction of the code") func complete() throws {
        let declared = try SourceComments(folder: Self.sources).comments.directions.keys.sorted()
        #expect(declared == ProtocolDocument.directions.map { $0.channel }.sorted())
    }

    @Test("has a sentence for every direction and every message") func sentences() throws {
        let comments = try SourceComments(folder: Self.sources).comments
        for direction in ProtocolDocument.directions { check(direction, comments) }
    }

    private func check<Direction: Message>(_ direction: Direction.Type, _ comments: ProtocolComments) {
        #expect(comments.directions[Direction.channel]?.isEmpty == false, "\(Direction.channel)")
        for message in Direction.all {
            #expect(comments.messages["\(Direction.channel).\(message.name)"]?.isEmpty == false, "\(Direction.channel).\(message.name)")
        }
    }
}

/// Reads doc comments out of the sources of the messages.
private struct SourceComments {
    private(set) var comments = ProtocolComments()
    private var structs: [String: [(field: String, comment: String, nested: String)]] = [:]
    private var payloads: [String: String] = [:]

    init(folder: String) throws {
        for name in FileSystem.names(in: folder).sorted() {
            let content = try #require(FileSystem.content(folder + "/" + name))
            read(String(decoding: content, as: UTF8.self))
        }
        for (message, payload) in payloads {
            var fields: [String: String] = [:]
            collect(payload, &fields)
            comments.fields[message] = fields
        }
    }

    private func collect(_ payload: String, _ fields: inout [String: String]) {
        for entry in structs[payload] ?? [] {
            if structs[entry.nested] != nil { collect(entry.nested, &fields) } else { fields[entry.field] = entry.comment }
        }
    }

    private mutating func read(_ source: String) {
        var comment: [String] = []
        var type = ""
        for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
            let text = line.drop { $0 == " " }
            let words = text.split(whereSeparator: { " :(){}=".contains($0) }).map(String.init)
            let sentence = comment.joined(separator: " ")
            if text.hasPrefix("/// ") {
                comment.append(String(text.dropFirst(4)))
                continue
            }
            if text.hasPrefix("package enum "), text.contains(": Message") {
                type = words[2]
                comments.directions[type] = sentence
            } else if text.hasPrefix("package struct ") {
                type = words[2]
                structs[type] = []
            } else if line.hasPrefix("    case "), !type.isEmpty {
                comments.messages["\(type).\(words[1])"] = sentence
                if words.count > 2 { payloads["\(type).\(words[1])"] = words[2] }
            } else if text.hasPrefix("package var "), structs[type] != nil, words.count > 3 {
                structs[type]?.append((words[2], sentence, words[3]))
            }
            comment = []
        }
    }
}
