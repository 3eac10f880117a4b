/// What clients noted about mailboxes and the account (METADATA), and the special uses they gave: one small file for each place of mail.
///
///     file  = "V" TAB "1" LF *entry
///     entry = name TAB value *( TAB part ) LF       ; all tab-escaped; the parts are the mailbox, none is the account
struct AttributeFile {
    struct Entry: Equatable {
        var mailbox: [[UInt8]]
        var name: [UInt8]
        var value: [UInt8]
    }

    private(set) var entries: [Entry] = []

    private static let mark = Array("V\t1\n".utf8)

    /// What is no entry is passed over: it says nothing.
    init(_ text: [UInt8] = []) {
        guard text.starts(with: Self.mark) else { return }
        for line in text.dropFirst(Self.mark.count).split(separator: ASCII.lineFeed) {
            let fields = line.split(separator: 0x09, omittingEmptySubsequences: false).map { TabEscape.decode($0) }
            guard fields.count >= 2, !fields[0].isEmpty, fields.count <= 2 + StoreLimits.nameDepth else { continue }
            entries.append(Entry(mailbox: Array(fields[2...]), name: fields[0], value: fields[1]))
        }
    }

    var text: [UInt8] {
        var output = Self.mark
        for entry in entries {
            output += ([entry.name, entry.value] + entry.mailbox).map(TabEscape.encode).joined(separator: [0x09])
            output.append(ASCII.lineFeed)
        }
        return output
    }

    func of(_ mailbox: [[UInt8]]) -> [MailAttribute] {
        entries.filter { $0.mailbox == mailbox }.map { MailAttribute(name: $0.name, value: $0.value) }
    }

    /// Sets or, without a value, removes. Throws `.limit` for more than one place may hold.
    mutating func set(_ name: [UInt8], _ value: [UInt8]?, of mailbox: [[UInt8]]) throws(StoreError) {
        entries.removeAll { $0.mailbox == mailbox && $0.name == name }
        guard let value else { return }
        guard entries.count(where: { $0.mailbox == mailbox }) < StoreLimits.attributes, entries.count < StoreLimits.attributes * 100 else {
            throw .limit("Too many attributes.")
        }
        entries.append(Entry(mailbox: mailbox, name: name, value: value))
    }

    /// The mailbox is gone; its children stay.
    mutating func remove(_ mailbox: [[UInt8]]) { entries.removeAll { $0.mailbox == mailbox } }

    /// The mailbox and its children have other names now.
    mutating func rename(_ mailbox: [[UInt8]], to target: [[UInt8]]) {
        for index in entries.indices where !mailbox.isEmpty && entries[index].mailbox.starts(with: mailbox) {
            entries[index].mailbox.replaceSubrange(..<mailbox.count, with: target)
        }
    }
}
