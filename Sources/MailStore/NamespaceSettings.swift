/// One `namespace` block (reference/storage.md 12).
package struct NamespaceSettings: Sendable {
    /// As NAMESPACE parts them (RFC 2342 section 5).
    package enum Kind: Sendable { case personal, otherUsers, shared }

    package enum Listing: Sendable { case yes, children, no }

    package var kind: Kind = .personal
    /// As the client writes it, with the separator at its end: `INBOX.`, or empty.
    package var prefix: [UInt8] = []
    /// Hierarchy separator that clients see; nil: the layout's own.
    package var separator: UInt8?
    package var holdsInbox = true
    package var isHidden = false
    package var listing: Listing = .yes
    package var holdsSubscriptions = true
    package var mailboxes: [MailboxSettings] = []
    /// Where the mail of this namespace is; nil: where that of the store is.
    package var location: MailLocation?
    /// Prefix of the namespace that has the same mail; nil: it has its own.
    package var aliasOf: [UInt8]?
    /// Where its mail cannot be reached it is left out.
    package var ignoresFailure = false

    package init() {}

    /// Whether a block counts: it is not switched off, and not one of the mailboxes that other users share, whose prefix names them.
    package static func isOffered(_ value: (String) -> String) -> Bool {
        let prefix = value("prefix")
        return value("disabled") != "yes" && !(value("type") == "shared" && (prefix.contains("%") || prefix.contains("$")))
    }

    /// `value` answers the settings of the block by their 2.4 names; mailboxes and location are added by who reads them.
    package init(_ value: (String) -> String) {
        kind = value("type") == "shared" ? .otherUsers : value("type") == "public" ? .shared : .personal
        prefix = Array(value("prefix").utf8)
        separator = value("separator").utf8.first
        holdsInbox = value("inbox") == "yes"
        isHidden = value("hidden") == "yes"
        listing = value("list") == "no" ? .no : value("list") == "children" ? .children : .yes
        holdsSubscriptions = value("subscriptions") != "no"
        ignoresFailure = value("ignore_on_failure") == "yes"
        let alias = value("alias_for")
        aliasOf = alias.isEmpty ? nil : Array(alias.utf8)
    }
}

extension MailLocation {
    /// Where the settings of a `namespace` block say that its mail is; nil: it has no place of its own.
    ///
    /// `value` answers them by their 2.4 names, into which a `location` of 2.3 was translated; `expand` puts the user into a text.
    package init?<Failure>(
        namespace value: (String) -> String, expand: (String) throws(Failure) -> String
    ) throws(Failure) {
        func part(_ name: String) throws(Failure) -> String? {
            let text = value(name)
            return text.isEmpty ? nil : try expand(text)
        }
        guard let path = try part("mail_path") else { return nil }
        self.init(
            path: path, inboxPath: try part("mail_inbox_path"), indexPath: try part("mail_index_path"),
            controlPath: try part("mail_control_path"), layout: value("mailbox_list_layout") == "fs" ? .nested : .maildirPlusPlus,
            namesAreUTF8: value("mailbox_list_utf8") == "yes")
    }

    /// The settings that say the same, by their 2.4 names.
    package func write(into values: inout [String: String], beneath prefix: String) {
        values[prefix + "mail_path"] = path
        values[prefix + "mail_inbox_path"] = inboxPath ?? ""
        values[prefix + "mail_control_path"] = controlPath ?? ""
        values[prefix + "mail_index_path"] = indexPath ?? ""
        values[prefix + "mailbox_list_layout"] = layout.rawValue
        values[prefix + "mailbox_list_utf8"] = namesAreUTF8 ? "yes" : "no"
    }

    // location = ["maildir:"] path *(":" (key "=" value / "UTF-8")) ; a colon inside a part is written "::"
    /// A location as 2.3 writes it, after variables were expanded (storage.md 1); nil: of another driver, or without a path.
    package init?(text: String) {
        var parts: [[UInt8]] = [[]]
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: ":"), rest.first != byte {
                parts.append([])
            } else {
                if byte == UInt8(ascii: ":") { rest.removeFirst() }
                parts[parts.count - 1].append(byte)
            }
        }
        var texts = parts.map { String(decoding: $0, as: UTF8.self) }[...]
        if let first = texts.first, !first.hasPrefix("/"), !first.hasPrefix("~") {
            guard texts.count > 1, first == "maildir" else { return nil }
            texts.removeFirst()
        }
        guard let path = texts.popFirst(), !path.isEmpty else { return nil }
        self.init(path: path)
        for word in texts {
            let pair = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            switch (pair[0], pair.count) {
            case ("UTF-8", 1): namesAreUTF8 = true
            case ("INBOX", 2): inboxPath = pair[1]
            case ("CONTROL", 2): controlPath = pair[1]
            case ("INDEX", 2): indexPath = pair[1]
            case ("LAYOUT", 2): layout = pair[1] == "fs" ? .nested : .maildirPlusPlus
            default: break
            }
        }
    }

    /// The directories that are named, each once. Throws `.unavailable` when a path needs a home directory and there is none.
    package func directories(home: String?) throws(StoreError) -> [String] {
        var found: [String] = []
        for path in [path, inboxPath, controlPath, indexPath] {
            guard let path else { continue }
            let absolute = try Self.absolute(path, home: home)
            if !found.contains(absolute) { found.append(absolute) }
        }
        return found
    }

    /// A path that does not begin with `/` is one below the home directory; so is what follows `~/`.
    static func absolute(_ path: String, home: String?) throws(StoreError) -> String {
        if path.hasPrefix("/") { return path }
        guard let home, home.hasPrefix("/") else {
            throw .unavailable("Mail path '\(path)' needs a home directory, but userdb didn't return a home directory")
        }
        if path == "~" { return home }
        return home + "/" + (path.hasPrefix("~/") ? String(path.dropFirst(2)) : path)
    }
}

/// One `mailbox` block of a namespace: special use and automatic creation.
package struct MailboxSettings: Sendable {
    package enum Automatic: Sendable { case no, create, subscribe }

    /// UTF-8, with the namespace's separator, without its prefix.
    package var name: [UInt8]
    package var automatic: Automatic
    /// `\Sent`, `\Trash`, …
    package var specialUse: [String]

    package init(name: [UInt8], automatic: Automatic = .no, specialUse: [String] = []) {
        self.name = name
        self.automatic = automatic
        self.specialUse = specialUse
    }
}
