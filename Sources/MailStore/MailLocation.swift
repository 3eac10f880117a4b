/// Where a user's mail is, after variables were expanded (`mail_location`, or `mail_driver`, `mail_path`, …).
/// Paths that begin with `~/` are relative to the home.
package struct MailLocation: Equatable, Sendable {
    package enum Driver: String, Sendable { case maildir }

    /// How a mailbox name becomes a directory.
    package enum Layout: String, Sendable {
        /// `.Work.2024` in the root.
        case maildirPlusPlus = "Maildir++"
        /// `Work/2024` below the root.
        case nested = "fs"
    }

    package var driver: Driver
    /// The root; INBOX too, unless `inboxPath` is given. Created on first use with mode 0700.
    package var path: String
    package var inboxPath: String?
    /// Where the index is, when it is not in the root: `culver.index`, which may be removed at any time.
    package var indexPath: String?
    /// dovecot-uidlist, dovecot-keywords and subscriptions, when they are not in the mail directories.
    package var controlPath: String?
    package var layout: Layout
    /// Directory names are UTF-8 instead of modified UTF-7.
    package var namesAreUTF8: Bool

    package init(
        driver: Driver = .maildir, path: String, inboxPath: String? = nil, indexPath: String? = nil, controlPath: String? = nil,
        layout: Layout = .maildirPlusPlus, namesAreUTF8: Bool = false
    ) {
        self.driver = driver
        self.path = path
        self.inboxPath = inboxPath
        self.indexPath = indexPath
        self.controlPath = controlPath
        self.layout = layout
        self.namesAreUTF8 = namesAreUTF8
    }
}

/// What the settings say about saving and reading mail (reference/storage.md 24).
package struct StoreOptions {
    /// `mail_fsync`: whether a commit waits for the disk.
    package enum Durability: Sendable { case always, optimized, never }

    package enum Severity: Sendable { case debug, warning, error }

    package var durability: Durability = .optimized
    /// `maildir_copy_with_hardlinks`
    package var copiesWithHardLinks = true
    /// `mail_save_crlf`
    package var savesCRLF = false
    /// `maildir_empty_new`: new/ is emptied at each synchronisation, also without the right to clear \Recent.
    package var emptiesNew = false
    /// `maildir_broken_filename_sizes`: S= and W= in file names are not believed.
    package var distrustsNameSizes = false
    /// `mail_max_keyword_length`
    package var maximumKeywordLength = StoreLimits.keywordLength
    /// Part of every file name; `/` and `:` in it are replaced. Empty: the system's.
    package var hostname = ""
    /// `mailbox_subscriptions_filename`
    package var subscriptionsFile = "subscriptions"
    /// Whether a lock of this host may be tested with kill(pid, 0); a process whose filter forbids kill waits for age instead.
    package var probesLockOwner = true
    /// Nanoseconds to wait for a lock; `mail_max_lock_timeout` lowers it.
    package var lockWait = StoreLimits.lockWait
    /// The namespaces; exactly one has `holdsInbox`.
    package var namespaces: [NamespaceSettings] = [NamespaceSettings()]
    /// Limits of what the user may keep.
    package var quota: QuotaSettings?
    /// Makes what tells of changes in a mailbox (IDLE); nil: an inotify instance of this process, of which the kernel allows few per uid.
    package var makeWatch: () -> (any ChangeWatch)? = { nil }
    /// Receives what the administrator should know: damaged files, overridden locks. May hold bytes of foreign file names.
    package var log: (Severity, String) -> Void = { _, _ in }

    package init() {}

    /// `mail_max_lock_timeout`: the longest wait for a lock, in milliseconds; 0: the store's own, which no setting prolongs.
    package mutating func limitLockWait(milliseconds: Int64) {
        if milliseconds > 0 { lockWait = min(lockWait, min(milliseconds, 1_000_000) * 1_000_000) }
    }
}
