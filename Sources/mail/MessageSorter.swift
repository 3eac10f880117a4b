internal import IMAPSyntax
internal import MailStore
internal import MessageFormat

/// Puts messages of one mailbox into the order of SORT (RFC 5256, RFC 5957). Each key is made once; equal messages stay in mailbox order.
struct MessageSorter {
    /// The values of one criterion; a class, so that adding to it copies nothing.
    private final class Column {
        let isReverse: Bool
        var numbers: [Int64] = []
        /// Keys of the comparator.
        var texts: [[UInt8]] = []

        init(isReverse: Bool) { self.isReverse = isReverse }

        /// Below, above or like zero, as the first value is.
        func compare(_ a: Int, _ b: Int) -> Int {
            if texts.isEmpty { return numbers[a] < numbers[b] ? -1 : numbers[a] > numbers[b] ? 1 : 0 }
            if texts[a] == texts[b] { return 0 }
            return texts[a].lexicographicallyPrecedes(texts[b]) ? -1 : 1
        }
    }

    private let mailbox: any Mailbox
    private let criteria: [SortCriterion]

    private let comparator: Comparator

    init(_ mailbox: any Mailbox, _ criteria: [SortCriterion], _ comparator: Comparator) {
        self.mailbox = mailbox
        self.comparator = comparator
        self.criteria = criteria
    }

    /// Messages that vanished meanwhile are left out.
    func sorted(_ positions: [Int]) throws(StoreError) -> [Int] {
        let source = EnvelopeSource(mailbox)
        let needsFields = criteria.contains { ![.arrival, .size].contains($0.key) }
        let columns = criteria.map { Column(isReverse: $0.isReverse) }
        var present: [Int] = []
        present.reserveCapacity(positions.count)
        for position in positions {
            do throws(StoreError) {
                let fields = needsFields ? try source.fields(at: position) : nil
                var values: [Value] = []
                for criterion in criteria { values.append(try value(criterion.key, position, fields, source)) }
                for (column, value) in zip(columns, values) {
                    switch value {
                    case .number(let number): column.numbers.append(number)
                    case .text(let text): column.texts.append(text)
                    }
                }
                present.append(position)
            } catch {
                guard case .expunged = error else { throw error }
            }
        }
        return present.indices.sorted { Self.precedes($0, $1, columns) }.map { present[$0] }
    }

    private enum Value {
        case number(Int64)
        case text([UInt8])
    }

    private func value(
        _ key: SortCriterion.Key, _ position: Int, _ fields: EnvelopeFields?, _ source: EnvelopeSource
    ) throws(StoreError) -> Value {
        switch key {
        case .arrival: return .number(try mailbox.internalDate(at: position))
        case .size: return .number(try mailbox.virtualSize(at: position))
        case .date:
            guard let fields else { return .number(0) }
            return .number(try source.sentDate(fields, at: position))
        case .subject: return .text(comparator.key(BaseSubject(fields?.subject ?? []).text))
        case .from: return .text(comparator.key(fields?.from?.mailbox ?? []))
        case .to: return .text(comparator.key(fields?.to?.mailbox ?? []))
        case .cc: return .text(comparator.key(fields?.cc?.mailbox ?? []))
        case .displayFrom: return .text(comparator.key(fields?.from?.display ?? []))
        case .displayTo: return .text(comparator.key(fields?.to?.display ?? []))
        }
    }

    private static func precedes(_ a: Int, _ b: Int, _ columns: [Column]) -> Bool {
        for column in columns {
            let order = column.compare(a, b)
            if order != 0 { return (order < 0) != column.isReverse }
        }
        return a < b
    }
}
