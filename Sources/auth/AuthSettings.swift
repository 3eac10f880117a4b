internal import PasswordStore
internal import Platform
internal import SASL
internal import Variables

/// What auth was told by the configuration, checked and with its templates parsed.
struct AuthSettings: Sendable {
    var dialect = TemplateDialect.pipelines
    /// In the order of `auth_mechanisms`.
    var mechanisms: [Mechanism] = [.plain]
    var names = UserNameRules()
    /// `auth_master_user_separator`.
    var masterSeparator: UInt8?
    /// Milliseconds until a failure is answered, so that guessing is slow.
    var failureDelay: Int64 = 2_000
    var internalFailureDelay: Int64 = 2_000
    /// `disable_plaintext_auth = no`, `auth_allow_cleartext = yes`.
    var allowsCleartext = false
    /// Info lines about failures.
    var isVerbose = false
    /// `auth_debug_passwords`: secrets in debug lines, too.
    var showsPasswords = false
    /// `login_trusted_networks`.
    var trusted: [AddressRange] = []
    var verbosePasswords = VerbosePasswords.no
    var passdbs: [PassdbSettings] = []
    var userdbs: [UserdbSettings] = []
    var mail = MailTemplates()
    /// Protocol word in `version` replies: sends MECH … DONE before the client speaks, as 2.3 does and Exim needs.
    var greetsAtOnce = true

    /// The passdbs of a login with a master user, and those of others.
    var masterPassdbs: [Int] { passdbs.indices.filter { passdbs[$0].isMaster } }
    var userPassdbs: [Int] { passdbs.indices.filter { !passdbs[$0].isMaster } }
}

/// `auth_verbose_passwords`: whether a wrong password appears in the log.
enum VerbosePasswords: Equatable, Sendable {
    case no
    case plain(length: Int)

    /// `no`, `plain`, `plain:N`; a digest form that is not built shows nothing.
    init(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1)
        guard let word = parts.first, word == "plain" || word == "yes" else {
            self = .no
            return
        }
        self = .plain(length: parts.count == 2 ? Int(parts[1]) ?? Limits.userName : Limits.userName)
    }
}

/// What the chain does after a database has answered (auth.md 8).
enum ResultRule: String, Sendable {
    case returnOK = "return-ok"
    case returnFail = "return-fail"
    case stop = "return"
    case continueOK = "continue-ok"
    case continueFail = "continue-fail"
    case goOn = "continue"
}

/// A field that a database block sets itself: a default before, an override after what was found.
struct FieldTemplate: Sendable {
    let name: String
    let value: Template?
}

enum Skip: String, Sendable { case never, authenticated, unauthenticated, found, notfound }

/// One `passdb` block.
struct PassdbSettings: Sendable {
    enum Driver: Sendable {
        case passwdFile(path: Template, scheme: Scheme, nameFormat: Template?)
        case fixed(password: Template?, acceptsAny: Bool, scheme: Scheme)
        /// Every request fails internally, with this text in the log.
        case unusable(String)
    }

    /// The driver's word, for log lines: `passwd-file`.
    var driverName: String
    var driver: Driver
    var isDeny = false
    var isMaster = false
    var skip = Skip.never
    var onSuccess = ResultRule.returnOK
    var onFailure = ResultRule.goOn
    var onInternalFailure = ResultRule.goOn
    /// Nil: all.
    var mechanisms: Set<String>?
    var names = NameFilter("")
    var defaults: [FieldTemplate] = []
    var overrides: [FieldTemplate] = []
}

/// One `userdb` block.
struct UserdbSettings: Sendable {
    enum Driver: Sendable {
        case passwdFile(path: Template, nameFormat: Template?)
        /// The same for everybody; unless `allowsAll`, a user must exist in a passdb.
        case fixed(allowsAll: Bool)
        /// The `userdb_` fields of the passdb.
        case prefetch
        case unusable(String)
    }

    var driverName: String
    var driver: Driver
    var skip = Skip.never
    var onSuccess = ResultRule.returnOK
    var onFailure = ResultRule.goOn
    var onInternalFailure = ResultRule.goOn
    var defaults: [FieldTemplate] = []
    var overrides: [FieldTemplate] = []
}

/// Where mail is, as templates that are expanded for each user.
struct MailTemplates: Sendable {
    var uid = ""
    var gid = ""
    var home: Template?
    var driver: Template?
    var path: Template?
    var inboxPath: Template?
    var controlPath: Template?
    var indexPath: Template?
    var layout = ""
    /// Users with other numbers are refused; uid 0 always is.
    var uids: ClosedRange<UInt32> = 1...UInt32.max
    var gids: ClosedRange<UInt32> = 1...UInt32.max
}
