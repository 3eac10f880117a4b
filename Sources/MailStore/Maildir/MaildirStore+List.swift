internal import Platform

// What mailboxes there are, and which are subscribed.
extension MaildirStore {
    func list() throws(StoreError) -> [ListedMailbox] {
        var found: [ListedMailbox] = []
        for index in namespaces.indices {
            try addNamesOnDisk(index, to: &found)
            for settings in namespaces[index].mailboxes where settings.automatic != .no {
                if let name = try? rules.name(namespaces[index].prefix + settings.name) { found.append(listed(name)) }
            }
            if namespaces[index].holdsInbox, let inbox = try? rules.name(Array("INBOX".utf8)) { found.append(listed(inbox)) }
        }
        found = Self.sorted(found)
        addParents(to: &found)
        addPrefixes(to: &found)
        try addSubscriptions(to: &found)
        try addGivenUses(to: &found)
        return found
    }

    /// `found` is all there is of a root, seen just now. Only where its mailboxes are all in one place and the directory told of each what it is.
    private func forgetAbsent(_ found: [ListedMailbox]) {
        guard roots.count == 1, let root = roots.first, root.inbox == nil, root.names.layout == .maildirPlusPlus,
            let own = try? root.mail.status()
        else { return }
        MailboxIndex.forgetAbsent(root.index, device: own.device) { Set(found.map(\.inode)).union([own.inode]) }
    }

    /// By name, each once.
    private static func sorted(_ all: [ListedMailbox]) -> [ListedMailbox] {
        var sorted: [ListedMailbox] = []
        sorted.reserveCapacity(all.count)
        for mailbox in all.sorted(by: { $0.name < $1.name }) {
            guard let last = sorted.last, last.name == mailbox.name else {
                sorted.append(mailbox)
                continue
            }
            if last.inode == 0 { sorted[sorted.count - 1].inode = mailbox.inode }
        }
        return sorted
    }

    /// Place of a name among sorted mailboxes.
    private static func place(of name: MailboxName, in sorted: [ListedMailbox]) -> Int? {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = low + (high - low) / 2
            if sorted[middle].name < name { low = middle + 1 } else { high = middle }
        }
        return low < sorted.count && sorted[low].name == name ? low : nil
    }

    /// Special uses that clients gave, besides those of the settings.
    private func addGivenUses(to found: inout [ListedMailbox]) throws(StoreError) {
        for index in namespaces.indices {
            let given = try givenUses(index)
            if given.isEmpty { continue }
            for place in found.indices where found[place].name.namespace == index {
                guard let uses = given[found[place].name.parts] else { continue }
                let known = found[place].specialUse
                found[place].specialUse = known + uses.filter { !known.contains($0) }
            }
        }
    }

    private func listed(_ name: MailboxName, isSelectable: Bool = true, inode: UInt64 = 0) -> ListedMailbox {
        ListedMailbox(name: name, isSelectable: isSelectable, specialUse: settings(of: name)?.specialUse ?? [], inode: inode)
    }

    /// Names above the mailboxes that are no mailboxes themselves; and who has children. `found` is sorted.
    private func addParents(to found: inout [ListedMailbox]) {
        var parents: Set<MailboxName> = []
        for mailbox in found {
            let name = mailbox.name
            // With the prefix `INBOX.`, everything is a child of INBOX.
            let namespace = namespaces[name.namespace]
            if !name.isInbox, !namespace.prefix.isEmpty, let parent = try? rules.name(Array(namespace.prefix.dropLast())),
                Self.place(of: parent, in: found) != nil
            {
                parents.insert(parent)
            }
            guard name.isBelowAnother else { continue }
            for count in 1..<name.parts.count { if let parent = rules.ancestor(name, parts: count) { parents.insert(parent) } }
        }
        if parents.isEmpty { return }
        let missing = parents.filter { Self.place(of: $0, in: found) == nil }
        if !missing.isEmpty { found = Self.sorted(found + missing.map { listed($0, isSelectable: false) }) }
        for parent in parents { if let place = Self.place(of: parent, in: found) { found[place].hasChildren = true } }
    }

    /// The prefix of a namespace is a name above its mailboxes, unless the settings hide it. `found` is sorted.
    private func addPrefixes(to found: inout [ListedMailbox]) {
        for (index, namespace) in namespaces.enumerated() where !namespace.prefix.isEmpty && namespace.listing != .no {
            guard let name = try? rules.name(Array(namespace.prefix.dropLast())), Self.place(of: name, in: found) == nil else { continue }
            let hasChildren = found.contains { $0.name.namespace == index && !$0.name.isInbox }
            guard hasChildren || namespace.listing == .yes else { continue }
            var prefix = listed(name, isSelectable: false)
            prefix.hasChildren = hasChildren
            found = Self.sorted(found + [prefix])
        }
    }

    private func addSubscriptions(to found: inout [ListedMailbox]) throws(StoreError) {
        let subscribed = try subscriptions()
        let missing = subscribed.filter { Self.place(of: $0, in: found) == nil }
        if !missing.isEmpty { found = Self.sorted(found + missing.map { ListedMailbox(name: $0, isOnlySubscribed: true) }) }
        for name in subscribed { if let place = Self.place(of: name, in: found) { found[place].isSubscribed = true } }
    }

    private func addNamesOnDisk(_ index: Int, to found: inout [ListedMailbox]) throws(StoreError) {
        // Namespaces that share a place show it once.
        if namespaces[index].isAlias { return }
        if let first = roots.indices.first(where: { roots[$0] === roots[index] && !namespaces[$0].isAlias }), first != index { return }
        let root = roots[index]
        switch root.names.layout {
        case .maildirPlusPlus: try addFlatNames(root, index, to: &found)
        case .nested: for name in try nestedNames(root, index) { found.append(listed(name)) }
        }
    }

    private func addFlatNames(_ root: MaildirRoot, _ index: Int, to found: inout [ListedMailbox]) throws(StoreError) {
        var isCertain = true
        do throws(SystemError) {
            try root.mail.directory.forEachEntry { entry in
                guard entry.name.count > 1, entry.name.first == ASCII.dot, entry.kind == .directory || entry.kind == .unknown else {
                    return
                }
                if entry.kind == .unknown { isCertain = false }
                let stored = entry.name.dropFirst()
                let inode = entry.kind == .directory ? entry.inode : 0
                if let name = rules.plainName(stored: stored, namespace: index) {
                    found.append(listed(name, inode: inode))
                    return
                }
                let parts = stored.split(separator: ASCII.dot, omittingEmptySubsequences: false).map { Array($0) }
                if let name = rules.name(storedParts: parts, namespace: index), !name.isInbox { found.append(listed(name, inode: inode)) }
            }
        } catch { throw root.mail.failure(error) }
        if isCertain { forgetAbsent(found) }
    }

    private func nestedNames(_ root: MaildirRoot, _ index: Int) throws(StoreError) -> [MailboxName] {
        var names: [MailboxName] = []
        var stack: [[[UInt8]]] = [[]]
        while let parts = stack.popLast() {
            let path = Array(parts.joined(separator: [ASCII.slash]))
            guard let directory = parts.isEmpty ? root.mail : try root.mail.folderIfPresent(path) else { continue }
            var isMailbox = false
            do throws(SystemError) {
                try directory.directory.forEachEntry { entry in
                    guard entry.kind == .directory || entry.kind == .unknown else { return }
                    if entry.name.elementsEqual(MaildirFolder.curName) { isMailbox = true }
                    if !StorageNames.isReserved(Array(entry.name)), parts.count < StoreLimits.nameDepth {
                        stack.append(parts + [Array(entry.name)])
                    }
                }
            } catch {
                if error.isNotDirectory { continue }
                throw directory.failure(error)
            }
            if isMailbox, let name = rules.name(storedParts: parts, namespace: index), !name.isInbox { names.append(name) }
        }
        return names
    }

    // MARK: subscriptions

    private var subscriptionsName: [UInt8] { Array(options.subscriptionsFile.utf8) }

    func subscriptions() throws(StoreError) -> [MailboxName] {
        var names = Set<MailboxName>()
        for index in namespaces.indices where namespaces[index].holdsSubscriptions {
            for parts in try subscriptionFile(index).names {
                if let name = subscribedName(parts, index) { names.insert(name) }
            }
        }
        for namespace in namespaces {
            for settings in namespace.mailboxes where settings.automatic == .subscribe {
                if let name = try? rules.name(namespace.prefix + settings.name) { names.insert(name) }
            }
        }
        return names.sorted()
    }

    func subscribe(_ name: MailboxName) throws(StoreError) {
        guard try exists(name) else { throw .notFound }
        try changeSubscriptions(name) { $0.insert($1) }
    }

    func unsubscribe(_ name: MailboxName) throws(StoreError) { try changeSubscriptions(name) { $0.remove($1) } }

    private func subscriptionFile(_ index: Int) throws(StoreError) -> SubscriptionFile {
        let content = try roots[index].controlRoot.content(of: subscriptionsName, limit: StoreLimits.controlFileSize)
        return SubscriptionFile(content?.bytes ?? [], separator: roots[index].names.separator)
    }

    private func changeSubscriptions(
        _ name: MailboxName, _ change: (inout SubscriptionFile, [[UInt8]]) -> Bool
    ) throws(StoreError) {
        let index = subscriptionNamespace(of: name)
        let control = roots[index].controlRoot
        let lock = try lock(subscriptionsName, in: control)
        var file = try subscriptionFile(index)
        if change(&file, storedParts(of: name, in: index)) {
            _ = try control.replace(
                subscriptionsName, with: file.text, temporary: subscriptionsName + Array(".tmp".utf8), mode: roots[index].fileMode,
                durable: isDurable)
        }
        _ = consume lock
    }

    /// The namespace itself, or the nearest one around it that keeps subscriptions.
    private func subscriptionNamespace(of name: MailboxName) -> Int {
        if namespaces[name.namespace].holdsSubscriptions { return name.namespace }
        let prefix = namespaces[name.namespace].prefix
        let around = namespaces.indices.filter { namespaces[$0].holdsSubscriptions && prefix.starts(with: namespaces[$0].prefix) }
        return around.max { namespaces[$0].prefix.count < namespaces[$1].prefix.count }
            ?? namespaces.firstIndex(where: \.holdsSubscriptions) ?? name.namespace
    }

    private func storedParts(of name: MailboxName, in index: Int) -> [[UInt8]] {
        let names = roots[index].names
        if name.namespace == index { return name.parts.map(names.encode) }
        let rest = name.text.dropFirst(namespaces[index].prefix.count)
        return rest.split(separator: namespaces[index].separator).map { names.encode(Array($0)) }
    }

    private func subscribedName(_ parts: [[UInt8]], _ index: Int) -> MailboxName? {
        if let name = rules.name(storedParts: parts, namespace: index) { return name }
        // Of a namespace inside this one that keeps no subscriptions.
        let decoded = parts.compactMap { roots[index].names.decode($0) }
        guard decoded.count == parts.count else { return nil }
        return try? rules.name(namespaces[index].prefix + decoded.joined(separator: [namespaces[index].separator]))
    }
}

extension ListedMailbox {
    init(name: MailboxName, isSelectable: Bool = false, isOnlySubscribed: Bool = false, specialUse: [String] = [], inode: UInt64 = 0) {
        self.name = name
        self.inode = inode
        self.isSelectable = isSelectable
        self.isOnlySubscribed = isOnlySubscribed
        self.specialUse = specialUse
        hasChildren = false
        isSubscribed = false
    }
}
