internal import IMAPSyntax
internal import MailStore
internal import MessageFormat

/// Puts messages of one mailbox into the order of SORT (RFC 5256, RFC 5957). Each key is made once; equal messages stay in mailbox order.
struct MessageSorter {
    /// The values of one criterion as numbers in their order. Of equal texts, which many messages have, one is kept and compared.
    private struct Column {
        private let isReverse: Bool
        private let isText: Bool
        /// Of texts at first the number of the text, in the end its place among all.
        private(set) var numbers: [Int64] = []
        private var texts: TextTable
        private var key: [UInt8] = []

        init(_ criterion: SortCriterion, count: Int) {
            isReverse = criterion.isReverse
            isText = criterion.key.text != nil
            texts = TextTable(expected: isText ? min(count, 8_192) : 0)
            numbers.reserveCapacity(count)
        }

        mutating func append(_ number: Int64) { numbers.append(number) }

        mutating func append(_ text: ArraySlice<UInt8>, _ comparator: Comparator) {
            key.removeAll(keepingCapacity: true)
            comparator.appendKey(text, to: &key)
            numbers.append(Int64(texts.number(of: key[...])))
        }

        mutating func finish() {
            if isText {
                let places = texts.places()
                for index in numbers.indices { numbers[index] = places[Int(numbers[index])] }
            }
            if isReverse { for index in numbers.indices { numbers[index] = ~numbers[index] } }
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
        let source = KeySource(mailbox)
        let needsKeys = criteria.contains { ![.arrival, .size].contains($0.key) }
        var columns = criteria.map { Column($0, count: positions.count) }
        let texts = criteria.map(\.key.text)
        var numbers = [Int64](repeating: 0, count: criteria.count)
        var present: [Int] = []
        present.reserveCapacity(positions.count)
        try source.forEach(of: positions, needsKeys: needsKeys) { (position, keys) throws(StoreError) in
            try readNumbers(position, keys, source, into: &numbers)
            for index in columns.indices {
                if let text = texts[index], let keys {
                    columns[index].append(keys.text(text), comparator)
                } else {
                    columns[index].append(numbers[index])
                }
            }
            present.append(position)
        }
        for index in columns.indices { columns[index].finish() }
        var order = Array(present.indices)
        // By the last criterion first: what an earlier one leaves equal stays in that order.
        for column in columns.reversed() { RadixOrder.sort(&order, by: column.numbers) }
        return order.map { present[$0] }
    }

    /// What may fail of a message's values.
    private func readNumbers(
        _ position: Int, _ keys: MessageKeys?, _ source: KeySource, into numbers: inout [Int64]
    ) throws(StoreError) {
        for index in criteria.indices {
            switch criteria[index].key {
            case .arrival: numbers[index] = try mailbox.internalDate(at: position)
            case .size: numbers[index] = try mailbox.virtualSize(at: position)
            case .date: if let keys { numbers[index] = try source.sentDate(keys, at: position) }
            default: break
            }
        }
    }
}

extension SortCriterion.Key {
    /// Nil: it is a number.
    fileprivate var text: MessageKeys.Text? {
        switch self {
        case .arrival, .size, .date: nil
        case .subject: .subject
        case .from: .from
        case .to: .to
        case .cc: .cc
        case .displayFrom: .displayFrom
        case .displayTo: .displayTo
        }
    }
}
