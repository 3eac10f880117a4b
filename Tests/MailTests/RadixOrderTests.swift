import Testing

@testable import mail

@Suite("Numbers are put in order")
struct RadixOrderTests {
    @Test("as by comparing them, and what is equal stays as it was")
    func order() {
        for count in [0, 1, 2, 50, 999, 1_000, 3_000] {
            for range: ClosedRange<Int64> in [0...0, 0...3, -5...5, 1_600_000_000...1_700_000_000, .min ... .max] {
                let values = (0..<count).map { _ in Int64.random(in: range) }
                var order = Array(0..<count)
                RadixOrder.sort(&order, by: values)
                #expect(order == (0..<count).sorted { values[$0] != values[$1] ? values[$0] < values[$1] : $0 < $1 })
                let before = order.shuffled()
                order = before
                RadixOrder.sort(&order, by: values)
                let places = Dictionary(uniqueKeysWithValues: before.enumerated().map { ($1, $0) })
                #expect(
                    zip(order, order.dropFirst()).allSatisfy { a, b in
                        values[a] != values[b] ? values[a] < values[b] : places[a, default: 0] < places[b, default: 0]
                    })
            }
        }
        var order = [0, 1]
        RadixOrder.sort(&order, by: [.max, .min])
        #expect(order == [1, 0])
    }
}
