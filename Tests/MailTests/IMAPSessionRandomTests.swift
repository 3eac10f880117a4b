import Testing

@testable import mail

/// Numbers that look random and are the same in each run.
struct Dice {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func roll(_ sides: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((value ^ (value >> 31)) % UInt64(sides))
    }

    mutating func pick<Element>(_ choices: [Element]) -> Element { choices[roll(choices.count)] }
}

/// A client that believes what it is told, and notices when it is told nonsense.
final class BelievingClient {
    let client: TestClient
    /// UIDs by position, as far as they were told.
    private(set) var uids: [Int?] = []

    init(_ mail: TestMail) throws {
        client = try mail.connect()
        _ = client.line()
        for line in client.run("SELECT INBOX") where line.hasSuffix(" EXISTS") { uids = Array(repeating: nil, count: Self.number(line)) }
    }

    private static func number(_ line: String) -> Int { Int(line.split(separator: " ").dropFirst().first ?? "") ?? 0 }

    func run(_ command: String) {
        let keepsNumbers = ["FETCH", "STORE", "SEARCH"].contains { command.hasPrefix($0) }
        for line in client.run(command) {
            let words = line.split(separator: " ", maxSplits: 3)
            guard words.first == "*", words.count > 2, let number = Int(words[1]) else {
                #expect(!line.hasPrefix("BAD") && !line.contains("SERVERBUG"), "\(command): \(line)")
                continue
            }
            switch words[2] {
            case "EXISTS":
                #expect(number >= uids.count, "\(command)")
                uids += Array(repeating: nil, count: max(0, number - uids.count))
            case "EXPUNGE":
                #expect(!keepsNumbers && (1...max(1, uids.count)).contains(number), "\(command)")
                if uids.indices.contains(number - 1) { uids.remove(at: number - 1) }
            case "FETCH": learn(number, line, command)
            default: break
            }
        }
        let known = uids.compactMap { $0 }
        #expect(known == Set(known).sorted(), "\(command)")
    }

    private func learn(_ number: Int, _ line: String, _ command: String) {
        guard let mark = line.firstRange(of: "UID "), uids.indices.contains(number - 1) else { return }
        guard let uid = Int(line[mark.upperBound...].prefix { $0.isNumber }) else { return }
        #expect(uids[number - 1] == nil || uids[number - 1] == uid, "\(command)")
        uids[number - 1] = uid
    }
}

@Suite("IMAP sessions with random commands", .serialized)
struct IMAPSessionRandomTests {
    private func command(_ dice: inout Dice, _ count: Int) -> String {
        func position(_ dice: inout Dice) -> String { count > 0 ? String(dice.roll(count) + 1) : "1:*" }
        let number = position(&dice)
        let uid = dice.roll(40) + 1
        switch dice.roll(12) {
        case 0, 1: return "APPEND INBOX (\(dice.pick(["", "\\Seen", "\\Deleted k\(uid % 5)"]))) {10+}\r\nSubject: \(uid % 10)"
        case 2: return "STORE \(number) \(dice.pick(["+", "-"]))FLAGS (\(dice.pick(["\\Deleted", "\\Seen", "k\(uid % 5)"])))"
        case 3: return "UID STORE \(uid):* +FLAGS.SILENT (\\Deleted)"
        case 4: return "FETCH 1:* (UID FLAGS)"
        case 5: return "UID FETCH \(uid):\(uid + 9) (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
        case 6: return "FETCH \(number) (UID BODY[])"
        case 7: return "EXPUNGE"
        case 8: return "UID COPY \(uid) INBOX"
        case 9: return dice.roll(2) == 0 ? "UID MOVE \(uid) INBOX" : "UID EXPUNGE \(uid):*"
        case 10: return dice.pick(["SEARCH DELETED", "UID SEARCH SUBJECT 3", "STATUS INBOX (MESSAGES)"])
        default: return "NOOP"
        }
    }

    @Test("believe the same about one mailbox", arguments: [1, 2, 3] as [UInt64])
    func agree(_ seed: UInt64) throws {
        let mail = try TestMail()
        let clients = [try BelievingClient(mail), try BelievingClient(mail), try BelievingClient(mail)]
        var dice = Dice(seed)
        for _ in 0..<400 {
            let client = dice.pick(clients)
            client.run(command(&dice, client.uids.count))
        }
        for _ in 1...2 { for client in clients { client.run("NOOP") } }
        for client in clients { client.run("UID FETCH 1:* UID") }
        #expect(clients.allSatisfy { $0.uids == clients[0].uids && !$0.uids.contains(nil) })
    }

    @Test("end orderly whatever bytes arrive", arguments: [1, 2, 3, 4] as [UInt64])
    func mutated(_ seed: UInt64) throws {
        let commands = [
            "SELECT INBOX", "FETCH 1:* (FLAGS BODY[1.2.HEADER.FIELDS (a)]<0.5> BODYSTRUCTURE)",
            "SEARCH RETURN (MIN SAVE) OR (FROM x) NOT BODY \"y\"",
            "LIST (SUBSCRIBED) \"\" (* %) RETURN (STATUS (MESSAGES))", "APPEND INBOX (\\Seen) {6+}\r\nabcdef", "UID MOVE 1:* a",
            "IDLE\r\nDONE",
            "STORE $ +FLAGS (x \\Deleted)", "CREATE &AOQ-.b", "RENAME a b", "EXPUNGE", "CLOSE",
        ]
        var dice = Dice(seed)
        let mail = try TestMail()
        for _ in 0..<60 {
            var bytes = Array((0..<12).map { "t\($0) \(dice.pick(commands))\r\n" }.joined().utf8)
            for _ in 0..<dice.roll(12) {
                let place = dice.roll(bytes.count)
                switch dice.roll(3) {
                case 0: bytes[place] = UInt8(dice.roll(256))
                case 1:
                    bytes.insert(
                        contentsOf: Array(dice.pick(["(", ")", "\"", "{9", "}", "*", "\r\n", "\0", "99999999999"]).utf8), at: place)
                default: bytes.remove(at: place)
                }
            }
            let client = try mail.connect()
            client.send(bytes)
            client.finishSending()
            while client.line() != nil {}
            #expect(client.result() != nil)
        }
    }
}
