/// What the store accepts from the outside (reference/security.md 6).
package enum StoreLimits {
    /// Bytes of a keyword, as Dovecot's `mail_max_keyword_length`.
    package static let keywordLength = 50
    /// Keywords of one mailbox: a file name has one letter, a-z, for each.
    package static let keywordsPerMailbox = 26
    /// Bytes of a whole mailbox name in UTF-8.
    package static let nameLength = 1_024
    /// Bytes of one part of a name, as stored; the file system allows no more.
    package static let namePartLength = 255
    /// Parts of a mailbox name.
    package static let nameDepth = 32
    /// Bytes of a Maildir++ directory name: the file system's 255 less one for a temporary name made of it.
    package static let directoryNameLength = 254
    /// Bytes of a control file (dovecot-uidlist, subscriptions) that is read: some ten million messages.
    package static let controlFileSize = 1 << 30
    /// Bytes of dovecot-keywords and dovecot-uidvalidity: a few lines.
    package static let smallFileSize = 64 * 1_024
    /// Attributes of one mailbox, and bytes of the file with those of all.
    package static let attributes = 100
    package static let attributeFileSize = 4 << 20
    /// Nanoseconds to wait for dovecot-uidlist.lock or the lock of subscriptions.
    package static let lockWait: Int64 = 120_000_000_000
    /// Seconds without change after which a lock of another host (or a mute one) is stale.
    package static let lockStale: Int64 = 120
    /// Seconds after which a file in tmp/ is a left-over: 36 hours.
    package static let temporaryFileAge: Int64 = 36 * 3_600
    /// Seconds between two looks for such left-overs, as Dovecot's `mail_temp_scan_interval`.
    package static let temporaryScanInterval: Int64 = 7 * 86_400
    /// Attempts to find a file whose name changes under our hands.
    package static let renameRaces = 10
}
