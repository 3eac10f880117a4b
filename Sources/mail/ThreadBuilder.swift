internal import IMAPSyntax
internal import MessageFormat

/// The messages that THREAD puts together. Subjects and message ids are numbers: equal ones have the same.
struct ThreadedMessages {
    struct Message {
        /// What the answer shows: sequence number or UID.
        var number: UInt32
        /// Seconds since 1970.
        var sentDate: Int64
        var subject: Int
        var isReply: Bool
        var messageID: Int?
        /// Its ancestors in `ancestors`, oldest first.
        var ancestors: Range<Int>
    }

    private(set) var all: [Message] = []
    private(set) var ancestors: [Int32] = []
    private var subjects: TextTable
    private var ids: TextTable
    private var key: [UInt8] = []
    private let comparator: Comparator

    /// Subject number of an empty subject.
    static let noSubject = 0

    init(expected: Int, _ comparator: Comparator = .standard) {
        self.comparator = comparator
        subjects = TextTable(expected: expected)
        ids = TextTable(expected: 2 * expected)
        all.reserveCapacity(expected)
        _ = subjects.number(of: [])
    }

    var subjectCount: Int { subjects.count }
    var idCount: Int { ids.count }

    /// Adds a message; `withSubject`, `withIDs`: what the algorithm looks at.
    mutating func add(_ number: UInt32, _ keys: MessageKeys, sentDate: Int64, withSubject: Bool, withIDs: Bool) {
        var message = Message(
            number: number, sentDate: sentDate, subject: Self.noSubject, isReply: keys.isReply, messageID: nil,
            ancestors: ancestors.count..<ancestors.count)
        if withSubject {
            key.removeAll(keepingCapacity: true)
            comparator.appendKey(keys.text(.subject), to: &key)
            message.subject = subjects.number(of: key[...])
        }
        if withIDs {
            let id = keys.text(.messageID)
            if !id.isEmpty { message.messageID = ids.number(of: id) }
            keys.forEachAncestor { ancestors.append(Int32(truncatingIfNeeded: ids.number(of: $0))) }
            message.ancestors = message.ancestors.lowerBound..<ancestors.count
        }
        all.append(message)
    }
}

/// The trees of THREAD (RFC 5256 section 3). Depth is foreign: nothing here calls itself.
struct ThreadBuilder {
    /// Index into `messages`; nil for a message that is only mentioned, or stands for a subject.
    private var message: [Int?] = []
    private var parent: [Int?] = []
    private var children: [[Int]] = []
    /// Whether a node was ever linked to from below.
    private var isParent: [Bool] = []
    private let source: ThreadedMessages
    private let messages: [ThreadedMessages.Message]
    private(set) var roots: [Int] = []

    /// Steps towards a root that the look for a loop takes; longer chains are not linked backwards.
    private static let depth = 2_000

    init(_ source: ThreadedMessages, _ algorithm: ThreadCommand.Algorithm) {
        self.source = source
        messages = source.all
        switch algorithm {
        case .orderedSubject: groupBySubject()
        case .references:
            link()
            prune()
            sortRoots(byLatest: false)
            mergeSubjects()
            sortAll(byLatest: false)
        case .refs:
            link()
            prune()
            sortAll(byLatest: true)
        }
    }

    private mutating func reserve(_ count: Int) {
        message.reserveCapacity(count)
        parent.reserveCapacity(count)
        children.reserveCapacity(count)
        isParent.reserveCapacity(count)
    }

    private mutating func add(_ index: Int?) -> Int {
        message.append(index)
        parent.append(nil)
        children.append([])
        isParent.append(false)
        return message.count - 1
    }
}

// MARK: REFERENCES
extension ThreadBuilder {
    /// Steps 1 and 2: who answers whom, by message ids.
    private mutating func link() {
        reserve(source.idCount + messages.count)
        // The first nodes are the ids.
        for _ in 0..<source.idCount { _ = add(nil) }
        for (index, current) in messages.enumerated() {
            var previous: Int?
            for id in source.ancestors[current.ancestors] {
                let next = Int(id)
                if let previous, parent[next] == nil, !isAbove(next, previous) { link(next, below: previous) }
                previous = next
            }
            // Two messages with one id: the second one stands alone under its ancestors.
            var own = current.messageID ?? add(nil)
            if message[own] != nil { own = add(nil) }
            message[own] = index
            if let previous {
                parent[own] = nil
                if !isAbove(own, previous) { link(own, below: previous) }
            }
        }
        for node in message.indices { if let above = parent[node] { children[above].append(node) } else { roots.append(node) } }
    }

    private mutating func link(_ node: Int, below other: Int) {
        parent[node] = other
        isParent[other] = true
    }

    /// Whether `node` is `other` or above it. A node that never had children is above nothing, which is what most questions are about.
    private func isAbove(_ node: Int, _ other: Int) -> Bool {
        if !isParent[node] { return node == other }
        var place: Int? = other
        for _ in 0..<Self.depth {
            guard let here = place else { return false }
            if here == node { return true }
            place = parent[here]
        }
        return true
    }

    /// Step 3: nodes without message go away; their children take their place, at the root only a single child.
    private mutating func prune() {
        // Children before parents.
        for node in postorder() {
            guard children[node].contains(where: { message[$0] == nil }) else { continue }
            var kept: [Int] = []
            for child in children[node] { if message[child] == nil { kept += children[child] } else { kept.append(child) } }
            children[node] = kept
            for child in kept { parent[child] = node }
        }
        var kept: [Int] = []
        for root in roots {
            if message[root] != nil || children[root].count > 1 {
                kept.append(root)
            } else if let only = children[root].first {
                parent[only] = nil
                kept.append(only)
            }
        }
        roots = kept
    }

    /// All nodes below the roots and the roots, each after its children.
    private func postorder() -> [Int] {
        var order: [Int] = []
        var pending = roots
        while let node = pending.popLast() {
            order.append(node)
            pending += children[node]
        }
        return order.reversed()
    }

    /// Step 5: roots with the same base subject become one thread.
    private mutating func mergeSubjects() {
        var table = [Int?](repeating: nil, count: source.subjectCount)
        for root in roots {
            guard let subject = subject(of: root), subject != ThreadedMessages.noSubject else { continue }
            guard let known = table[subject] else {
                table[subject] = root
                continue
            }
            let isBetter = message[known] != nil && (message[root] == nil || isReply(known) && !isReply(root))
            if isBetter { table[subject] = root }
        }
        var gone: Set<Int> = []
        var merged: [Int: Int] = [:]
        for root in roots {
            guard let subject = subject(of: root), subject != ThreadedMessages.noSubject, let first = table[subject], first != root else {
                continue
            }
            if message[first] == nil {
                if message[root] == nil { children[first] += children[root] } else { children[first].append(root) }
                gone.insert(root)
            } else if message[root] != nil, isReply(root), !isReply(first) {
                children[first].append(root)
                gone.insert(root)
            } else {
                let both = add(nil)
                children[both] = [first, root]
                gone.insert(root)
                merged[first] = both
                table[subject] = both
            }
        }
        roots = roots.filter { !gone.contains($0) }.map { merged[$0] ?? $0 }
    }

    /// The subject of a node without message is that of its first child.
    private func subject(of root: Int) -> Int? {
        (message[root] ?? children[root].first.flatMap { message[$0] }).map { messages[$0].subject }
    }

    private func isReply(_ root: Int) -> Bool {
        (message[root] ?? children[root].first.flatMap { message[$0] }).map { messages[$0].isReply } ?? false
    }
}

// MARK: order
extension ThreadBuilder {
    /// Step 4 sorts children of nodes without message first, for these take the date of their first child.
    private mutating func sortRoots(byLatest: Bool) {
        for root in roots where message[root] == nil { children[root] = children[root].sorted { precedes($0, $1) } }
        roots = roots.sorted { precedes($0, $1) }
    }

    /// Step 6. With `byLatest` threads are sorted by their latest message.
    private mutating func sortAll(byLatest: Bool) {
        var latest = [Int64](repeating: .min, count: message.count)
        for node in postorder() {
            if children[node].count > 1 { children[node] = children[node].sorted { precedes($0, $1) } }
            latest[node] = max(message[node].map { messages[$0].sentDate } ?? .min, children[node].lazy.map { latest[$0] }.max() ?? .min)
        }
        roots = roots.sorted { byLatest && latest[$0] != latest[$1] ? latest[$0] < latest[$1] : precedes($0, $1) }
    }

    /// By sent date, then by place in the mailbox.
    private func precedes(_ a: Int, _ b: Int) -> Bool {
        guard let first = shown(a), let second = shown(b) else { return shown(a) != nil }
        let (x, y) = (messages[first].sentDate, messages[second].sentDate)
        return x != y ? x < y : first < second
    }

    /// The message of a node, or of its first child.
    private func shown(_ node: Int) -> Int? { message[node] ?? children[node].first.flatMap { message[$0] } }

    /// ORDEREDSUBJECT: the first message of a subject with all others below it.
    private mutating func groupBySubject() {
        var heads = [Int?](repeating: nil, count: source.subjectCount)
        let order = messages.indices.sorted {
            messages[$0].sentDate != messages[$1].sentDate ? messages[$0].sentDate < messages[$1].sentDate : $0 < $1
        }
        for index in order {
            let node = add(index)
            if let head = heads[messages[index].subject] {
                children[head].append(node)
            } else {
                heads[messages[index].subject] = node
                roots.append(node)
            }
        }
    }
}

// MARK: the answer
extension ThreadBuilder {
    // thread-data = "THREAD" [SP 1*thread-list] ; thread-list = "(" (thread-members / thread-nested) ")"
    // thread-members = nz-number *(SP nz-number) [SP thread-nested] ; thread-nested = 2*thread-list
    func write(to out: inout ResponseWriter) {
        enum Step { case node(Int, isInList: Bool), close }
        var steps: [Step] = []
        for root in roots.reversed() { steps += [.close, .node(root, isInList: true)] }
        while let step = steps.popLast() {
            switch step {
            case .close: out.byte(0x29)
            case .node(let node, let isInList):
                if isInList { out.byte(0x28) }
                if let index = message[node] {
                    if !isInList { out.byte(0x20) }
                    out.number(messages[index].number)
                }
                if children[node].count == 1, let only = children[node].first {
                    steps.append(.node(only, isInList: false))
                } else if children[node].count > 1 {
                    if message[node] != nil { out.byte(0x20) }
                    for child in children[node].reversed() { steps += [.close, .node(child, isInList: true)] }
                }
            }
        }
    }
}
