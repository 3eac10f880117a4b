internal import ByteScan
internal import IMAPSyntax
internal import MailStore
internal import MessageFormat

/// Puts messages of one mailbox into the order of SORT (RFC 5256, RFC 5957). Each key is made once; equal messages stay in mailbox order.
struct MessageSorter {
    /// The values of one criterion as numbers in their order. Of equal texts, which many messages have, one is kept and compared.
    private struct Column {
        private let isReverse: Bool
        let text: MessageKeys.Text?
        /// Of texts at first the number of the text, in the end its place among all.
        private(set) var numbers: [Int64] = []
        private var texts = TextTable(expected: 64)
        private var key: [UInt8] = []

        init(_ criterion: SortCriterion, count: Int) {
            isReverse = criterion.isReverse
            text = criterion.key.text
            numbers.reserveCapacity(count)
        }

        mutating func append(_ number: Int64) { numbers.append(number) }

        mutating func append(_ text: ArraySlice<UInt8>, _ comparator: Comparator) {
            key.removeAll(keepingCapacity: true)
            comparator.appendKey(text, to: &key)
            numbers.append(Int64(texts.number(of: key[...])))
        }

        mutating func finish() {
            if text != nil {
                // The first bytes decide nearly always.
                var order = (0..<texts.count).map { (rank: ByteScan.prefix(texts[$0]), number: $0) }
                order.sort {
                    if $0.rank != $1.rank { return $0.rank < $1.rank }
                    return ByteScan.compare(texts[$0.number], texts[$1.number]) < 0
                }
                var places = [Int64](repeating: 0, count: order.count)
                for (place, entry) in order.enumerated() { places[entry.number] = Int64(place) }
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
        var numbers = [Int64](repeating: 0, count: criteria.count)
        var present: [Int] = []
        present.reserveCapacity(positions.count)
        for position in positions {
            do throws(StoreError) {
                let keys = needsKeys ? try source.keys(at: position) : nil
                try readNumbers(position, keys, source, into: &numbers)
                for index in columns.indices {
                    if let text = columns[index].text, let keys {
                        columns[index].append(keys.text(text), comparator)
                    } else {
                        columns[index].append(numbers[index])
                    }
                }
                present.append(position)
            } catch {
                guard case .expunged = error else { throw error }
            }
        }
        for index in columns.indices { columns[index].finish() }
        guard let first = columns.first else { return present }
        let others = columns.dropFirst().map(\.numbers)
        var entries = present.indices.map { (value: first.numbers[$0], index: $0) }
        entries.sort { $0.value != $1.value ? $0.value < $1.value : Self.precedes($0.index, $1.index, others) }
        return entries.map { present[$0.index] }
    }

    /// What may fail of a message's values.
    private func readNumbers(
        _ position: Int, _ keys: MessageKeys?, _ source: KeySource, into numbers: inout [Int64]
    ) throws(StoreError) {
        for (index, criterion) in criteria.enumerated() {
            switch criterion.key {
            case .arrival: numbers[index] = try mailbox.internalDate(at: position)
            case .size: numbers[index] = try mailbox.virtualSize(at: position)
            case .date: if let keys { numbers[index] = try source.sentDate(keys, at: position) }
            default: break
            }
        }
    }

    private static func precedes(_ a: Int, _ b: Int, _ columns: [[Int64]]) -> Bool {
        for numbers in columns where numbers[a] != numbers[b] { return numbers[a] < numbers[b] }
        return a < b
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
