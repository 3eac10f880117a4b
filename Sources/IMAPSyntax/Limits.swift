/// What one command may cost before it is refused (reference/security.md section 6). Counts are bytes unless named otherwise.
package struct Limits: Sendable, Equatable {
    /// A command without its literals and line ends: long enough for big UID sets, short enough to hold in memory.
    package var line: Int
    /// One literal that is held in memory, so not the message of APPEND.
    package var literal: Int
    /// All literals of one command together.
    package var literalSum: Int
    /// Literals in one command.
    package var literalCount: Int
    /// Parentheses opened inside each other, search keys under NOT and OR included.
    package var depth: Int
    /// A literal that the client sends without waiting for `+`; 4,096 where LITERAL- is offered (RFC 7888 section 5).
    package var nonSynchronising = Int64.max
    /// Whether APPEND's message literal is announced rather than refused: strangers have nothing to append to.
    package var streamsAppend: Bool

    /// Before login, where strangers speak: LOGIN with two literals is the longest honest command.
    package static let preLogin = Limits(
        line: 8_192, literal: 1_024, literalSum: 2_048, literalCount: 2, depth: 1, streamsAppend: false)

    /// After login.
    package static let postLogin = Limits(
        line: 65_536, literal: 131_072, literalSum: 1_048_576, literalCount: 1_000, depth: 32, streamsAppend: true)

    /// A tag; it is printed back, and no client uses more than a dozen bytes.
    package static let tag = 64
    /// Name of a SASL mechanism (RFC 4422 section 3.1).
    package static let mechanism = 20
    /// One SASL message decoded, large enough for Kerberos tickets.
    package static let saslMessage = 12_288
    /// The same in base64 with a tag and a command in front: such a line is exempt from `line`.
    package static let saslLine = 16_384 + 256
    /// Pairs of ID (RFC 2971 section 3.3), and the length of a key and a value.
    package static let idFields = 30
    package static let idKey = 30
    package static let idValue = 1_024
    /// Digits of a 32-bit number.
    package static let digits = 10
    /// Elements of a sequence set as written; merged, so that they cost little.
    package static let setElements = 10_000
    /// Items of FETCH, a macro counted once.
    package static let fetchItems = 100
    /// Keys of SEARCH on all levels together.
    package static let searchKeys = 1_000
    /// Criteria of SORT.
    package static let sortCriteria = 10
    /// Names in COMPARATOR, and the length of one (RFC 4790 section 3.2).
    package static let comparators = 32
    package static let comparator = 254
    /// Searches whose updates one CANCELUPDATE ends.
    package static let contextTags = 32
    /// Mailboxes that ESEARCH and NOTIFY name.
    package static let mailboxFilters = 100
    /// Groups of mailboxes in NOTIFY, and events of one.
    package static let notifyGroups = 32
    package static let notifyEvents = 16
    /// Pieces of one message in CATENATE, and the length of a URL.
    package static let catenateParts = 1_000
    package static let url = 8_192
    /// Entries of GETMETADATA and SETMETADATA, the length of a name, and of a value.
    package static let metadataEntries = 100
    /// Resources in SETQUOTA (RFC 9208); more kinds than there are.
    package static let quotaResources = 16
    package static let metadataEntry = 255
    package static let metadataValue = 65_536
    /// Names in HEADER.FIELDS, and the length of one (RFC 5322 section 2.1.1).
    package static let headerNames = 100
    package static let headerName = 998
    /// Items of STATUS.
    package static let statusItems = 20
    /// Patterns of one LIST, and wildcards in one of them.
    package static let listPatterns = 20
    package static let wildcards = 16
    /// A mailbox name as it is on the wire.
    package static let mailboxName = 1_024
    /// Parts of a section number such as 1.2.3: as deep as MIME is parsed.
    package static let sectionDepth = 100
    /// Length of one keyword, and keywords of one STORE or APPEND.
    package static let keyword = 50
    package static let keywords = 64
    /// MAILBOXID, EMAILID, THREADID (RFC 8474 section 7).
    package static let objectID = 255
    /// Commands in a row that were not understood: before login, after login.
    package static let badCommandsBeforeLogin = 3
    package static let badCommands = 20
}
