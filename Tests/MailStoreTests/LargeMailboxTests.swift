import Platform
import Testing

@testable import MailStore

/// Not a test but a measurement: `CULVER_LARGE_MAILBOX=100000 swift test -c release --filter LargeMailbox`.
@Suite("A large mailbox", .enabled(if: Process.environment("CULVER_LARGE_MAILBOX") != nil))
struct LargeMailboxTests {
    private func measured(_ what: String, _ body: () throws -> Void) rethrows {
        let start = Clock.monotonicNanoseconds
        try body()
        print("\(what): \((Clock.monotonicNanoseconds - start) / 1_000) µs")
    }

    @Test("costs")
    func costs() throws {
        let count = Process.environment("CULVER_LARGE_MAILBOX").flatMap { Int($0) } ?? 1_000
        let scratch = try Scratch()
        let store = try scratch.store { $0.durability = .never }
        try measured("save \(count)") {
            let save = try store.beginSave(to: try store.named("INBOX"))
            for number in 0..<count {
                try save.begin(NewMessage(flags: number % 3 == 0 ? [.seen] : [.seen, .answered]))
                try save.append(Array("Subject: x\r\n\r\n".utf8)[...])
                try save.end()
            }
            _ = try save.commit()
        }
        let fresh = try scratch.store { $0.durability = .never }
        var mailbox: (any Mailbox)?
        try measured("first open") { mailbox = try fresh.opened("INBOX") }
        try measured("open again") { _ = try fresh.opened("INBOX") }
        try measured("status") { _ = try fresh.status(try fresh.named("INBOX"), sizes: false) }
        try measured("status with sizes") { _ = try fresh.status(try fresh.named("INBOX"), sizes: true) }
        try measured("synchronize, nothing new") { _ = try mailbox?.synchronize(reportExpunges: true) }
        try measured("change one flag and synchronize") {
            _ = try mailbox?.change([count / 2], FlagChange(.add, flags: [.flagged]))
            _ = try mailbox?.synchronize(reportExpunges: true)
        }
        try measured("save one") { try fresh.save("x\r\n") }
        try measured("synchronize with one new") { _ = try mailbox?.synchronize(reportExpunges: true) }
        try measured("copy 1000") { _ = try mailbox?.copy(Array(0..<min(1_000, count)), to: try fresh.named("INBOX")) }
        try measured("expunge 1000 and synchronize") {
            try mailbox?.expunge(Array(0..<min(1_000, count)))
            _ = try mailbox?.synchronize(reportExpunges: true)
        }
    }
}
