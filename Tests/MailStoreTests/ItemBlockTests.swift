import Index
import Testing

@testable import MailStore

@Suite("Items in blocks")
struct ItemBlockTests {
    private func bytes(_ number: Int, _ count: Int) -> [UInt8] { [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: count) }

    @Test("are read as they were written, and anything else is refused")
    func block() throws {
        var block = ItemBlock(3)
        var expected = [[UInt8]?](repeating: nil, count: ItemBlock.capacity)
        for _ in 0..<500 {
            let slot = Int.random(in: 0..<ItemBlock.capacity)
            let value = bytes(Int.random(in: 0..<256), Int.random(in: 0..<40))
            block.set(slot, value[...])
            expected[slot] = value.isEmpty ? nil : value
            #expect((0..<ItemBlock.capacity).allSatisfy { block.value($0).map { Array($0) } == expected[$0] })
        }
        let written = block.bytes
        #expect(ItemBlock(3, written) == block)
        #expect(ItemBlock(3, written + [0]) == nil && ItemBlock(3, Array(written.dropLast())) == nil && ItemBlock(3, []) == nil)
        var broken = written
        broken[3] = 0xff
        #expect(ItemBlock(3, broken) == nil)
        // What would make it too large is left out, and what is there stays.
        let large = bytes(7, ItemBlock.limit)
        block.set(0, large[...])
        #expect(block.value(0).map { Array($0) } == expected[0])
    }

    @Test("are kept for each message, carried by COPY and MOVE, and forgotten with it")
    func carried() throws {
        let scratch = try Scratch()
        let store = try scratch.store()
        try store.create(try store.named("Copies"))
        for number in 0..<200 { try scratch.write("Maildir/cur/\(1_000_000 + number).x:2,S", "") }
        do {
            let inbox = try store.opened("INBOX")
            // Not in order, and not all.
            for position in (0..<200).shuffled() where position % 3 > 0 {
                inbox.remember(.keys, bytes(position, position + 1), at: position)
            }
        }
        let inbox = try scratch.store().opened("INBOX")
        func check(_ mailbox: any Mailbox, _ numbers: [Int]) {
            #expect(mailbox.messages.count == numbers.count)
            for order in [Array(numbers.indices), numbers.indices.reversed(), numbers.indices.shuffled()] {
                for position in order {
                    let number = numbers[position]
                    #expect(mailbox.cached(.keys, at: position).map { Array($0) } == (number % 3 > 0 ? bytes(number, number + 1) : nil))
                }
            }
        }
        check(inbox, Array(0..<200))
        let copied = Array(0..<200).filter { $0 % 7 < 4 }
        _ = try inbox.copy(copied, to: try store.named("Copies"))
        check(try store.opened("Copies"), copied)
        let moved = Array(50..<150)
        _ = try inbox.move(moved, to: try store.named("Copies"))
        check(try store.opened("Copies"), copied + moved)
        _ = try inbox.synchronize(reportExpunges: true)
        let left = Array(0..<50) + Array(150..<200)
        check(inbox, left)
        try inbox.expunge(left.indices.filter { $0 % 2 == 0 })
        _ = try inbox.synchronize(reportExpunges: true)
        let rest = left.indices.filter { $0 % 2 == 1 }.map { left[$0] }
        check(inbox, rest)
        check(try scratch.store().opened("INBOX"), rest)
        try inbox.expunge(Array(rest.indices))
        _ = try inbox.synchronize(reportExpunges: true)
        let other = try #require(try scratch.store() as? MaildirStore)
        let index = MailboxIndex(other.roots[0].index, directory: try other.folder(try other.named("INBOX")).mail.status())
        let keys = index.index.read { (transaction) throws(IndexError) in try transaction.keys(prefix: index.prefix + [0x63]).count }
        #expect(keys == 0)
    }
}
