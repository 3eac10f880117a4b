internal import IMAPSyntax
internal import MailStore
internal import MessageFormat

/// Puts messages of one mailbox into the order of SORT (RFC 5256, RFC 5957). Each key is made once; equal messages stay in mailbox order.
struct MessageSorter {
    private enum Column {
        case numbers([Int64], isReverse: Bool)
        /// Keys of i;unicode-casemap.
        case texts([[UInt8]], isReverse: Bool)
    }

    private let mailbox: any Mailbox
    private let criteria: [SortCriterion]

    init(_ mailbox: any Mailbox, _ criteria: [SortCriterion]) {
        self.mailbox = mailbox
        self.criteria = criteria
    }

    /// Messages that vanished meanwhile are left out.
    func sorted(_ positions: [Int]) throws(StoreError) -> [Int] {
        let source = EnvelopeSource(mailbox)
        let needsFields = criteria.contains { ![.arrival, .size].contains($0.key) }
        var columns = criteria.map { criterion -> Column in
            switch criterion.key {
            case .arrival, .date, .size: .numbers([], isReverse: criterion.isReverse)
            default: .texts([], isReverse: criterion.isReverse)
            }
        }
        var present: [Int] = []
        present.reserveCapacity(positions.count)
        for position in positions {
            do throws(StoreError) {
                let fields = needsFields ? try source.fields(at: position) : nil
                var values: [Value] = []
                for criterion in criteria { values.append(try value(criterion.key, position, fields, source)) }
                for index in columns.indices { Self.append(values[index], to: &columns[index]) }
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
        case .subject: return .text(UnicodeCasemap.key(BaseSubject(fields?.subject ?? []).text))
        case .from: return .text(UnicodeCasemap.key(fields?.from?.mailbox ?? []))
        case .to: return .text(UnicodeCasemap.key(fields?.to?.mailbox ?? []))
        case .cc: return .text(UnicodeCasemap.key(fields?.cc?.mailbox ?? []))
        case .displayFrom: return .text(UnicodeCasemap.key(fields?.from?.display ?? []))
        case .displayTo: return .text(UnicodeCasemap.key(fields?.to?.display ?? []))
        }
    }

    private static func append(_ value: Value, to column: inout Column) {
        switch (value, column) {
        case (.number(let number), .numbers(var numbers, let isReverse)):
            column = .numbers([], isReverse: isReverse)
            numbers.append(number)
            column = .numbers(numbers, isReverse: isReverse)
        case (.text(let text), .texts(var texts, let isReverse)):
            column = .texts([], isReverse: isReverse)
            texts.append(text)
            column = .texts(texts, isReverse: isReverse)
        default: break
        }
    }

    private static func precedes(_ a: Int, _ b: Int, _ columns: [Column]) -> Bool {
        for column in columns {
            switch column {
            case .numbers(let numbers, let isReverse):
                if numbers[a] != numbers[b] { return (numbers[a] < numbers[b]) != isReverse }
            case .texts(let texts, let isReverse):
                if texts[a] != texts[b] { return texts[a].lexicographicallyPrecedes(texts[b]) != isReverse }
            }
        }
        return a < b
    }
}
