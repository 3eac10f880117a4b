internal import ByteScan
internal import IMAPSyntax
internal import MailStore
internal import MessageFormat

/// Puts messages of one mailbox into the order of SORT (RFC 5256, RFC 5957). Each key is made once; equal messages stay in mailbox order.
struct MessageSorter {
    /// The values of one criterion, one after the other in one piece of memory.
    private struct Column {
        let isReverse: Bool
        let text: MessageKeys.Text?
        private(set) var numbers: [Int64] = []
        private var bytes: [UInt8] = []
        private var ends: [Int] = []

        init(_ criterion: SortCriterion) {
            isReverse = criterion.isReverse
            text = criterion.key.text
        }

        mutating func append(_ number: Int64) { numbers.append(number) }

        mutating func append(_ text: ArraySlice<UInt8>, _ comparator: Comparator) {
            comparator.appendKey(text, to: &bytes)
            ends.append(bytes.count)
        }

        private subscript(index: Int) -> ArraySlice<UInt8> { bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]] }

        /// A number that is ordered as the values are, where it is not equal.
        func rank(_ index: Int) -> UInt64 {
            let rank = text == nil ? UInt64(bitPattern: numbers[index]) ^ 1 << 63 : ByteScan.prefix(self[index])
            return isReverse ? ~rank : rank
        }

        /// Below, above or like zero, as the first value comes first.
        func compare(_ a: Int, _ b: Int) -> Int {
            let order = text == nil ? (numbers[a] < numbers[b] ? -1 : numbers[a] > numbers[b] ? 1 : 0) : ByteScan.compare(self[a], self[b])
            return isReverse ? -order : order
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
        var columns = criteria.map { Column($0) }
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
        guard let first = columns.first else { return present }
        // The first criterion decides nearly always, and by its first bytes.
        var entries = present.indices.map { (rank: first.rank($0), index: $0) }
        entries.sort { $0.rank != $1.rank ? $0.rank < $1.rank : Self.precedes($0.index, $1.index, columns) }
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

    private static func precedes(_ a: Int, _ b: Int, _ columns: [Column]) -> Bool {
        for column in columns {
            let order = column.compare(a, b)
            if order != 0 { return order < 0 }
        }
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
