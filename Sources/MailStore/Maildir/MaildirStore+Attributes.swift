internal import Platform

// Attributes of mailboxes and of the account (RFC 5464, RFC 6154).
extension MaildirStore {
    private static let attributes = Array("culver-attributes".utf8)
    /// The special uses that a client gave a mailbox, with blanks between them.
    static let specialUse = Array("/private/specialuse".utf8)

    func attributes(of name: MailboxName?) throws(StoreError) -> [MailAttribute] {
        if let name, try !exists(name) { throw .notFound }
        return try attributeFile(namespace(of: name)).of(name?.parts ?? [])
    }

    func setAttributes(_ changes: [(name: [UInt8], value: [UInt8]?)], of name: MailboxName?) throws(StoreError) {
        if let name, try !exists(name) { throw .notFound }
        try changeAttributes(namespace(of: name)) { file throws(StoreError) in
            for change in changes { try file.set(change.name, change.value, of: name?.parts ?? []) }
        }
    }

    /// What belongs to the account lies where INBOX does.
    private func namespace(of name: MailboxName?) -> Int { name?.namespace ?? namespaces.firstIndex(where: \.holdsInbox) ?? 0 }

    func attributeFile(_ namespace: Int) throws(StoreError) -> AttributeFile {
        AttributeFile(try roots[namespace].controlRoot.content(of: Self.attributes, limit: StoreLimits.attributeFileSize)?.bytes ?? [])
    }

    /// Nothing is written where nothing changes.
    func changeAttributes(_ namespace: Int, _ change: (inout AttributeFile) throws(StoreError) -> Void) throws(StoreError) {
        let control = roots[namespace].controlRoot
        let lock = try lock(Self.attributes, in: control)
        var file = try attributeFile(namespace)
        let before = file.entries
        try change(&file)
        if file.entries != before {
            let text = file.text
            guard text.count < StoreLimits.attributeFileSize else { throw .limit("Too many attributes.") }
            _ = try control.replace(
                Self.attributes, with: text, temporary: Self.attributes + Array(".tmp".utf8), mode: roots[namespace].fileMode,
                durable: isDurable)
        }
        _ = consume lock
    }

    /// After a mailbox was removed or renamed; most people have no attributes, and then nothing is locked.
    func followAttributes(_ namespace: Int, _ change: (inout AttributeFile) -> Void) throws(StoreError) {
        guard try !attributeFile(namespace).entries.isEmpty else { return }
        try changeAttributes(namespace) { file throws(StoreError) in change(&file) }
    }

    /// Special uses given by clients, by mailbox.
    func givenUses(_ namespace: Int) throws(StoreError) -> [[[UInt8]]: [String]] {
        var uses: [[[UInt8]]: [String]] = [:]
        for entry in try attributeFile(namespace).entries where entry.name == Self.specialUse {
            uses[entry.mailbox] = entry.value.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
        }
        return uses
    }
}
