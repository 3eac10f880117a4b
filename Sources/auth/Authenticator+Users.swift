internal import SASL

/// What a lookup of a user gave.
enum UserAnswer: Equatable {
    case user(MailUser)
    case unknown
    /// The text is for the log, and has been noted.
    case failed
}

extension Authenticator {
    /// Who wants to log in as whom: from authzid, or from `login<separator>master` (auth.md 6).
    func identity(_ credentials: Credentials, _ origin: Origin) throws(NameProblem) -> Identity {
        var authenticated = credentials.authentication
        var wanted = credentials.authorization
        if let separator = settings.masterSeparator, wanted.isEmpty, let place = authenticated.firstIndex(of: separator) {
            wanted = Array(authenticated[..<place])
            authenticated = Array(authenticated[(place + 1)...])
        }
        let name = try normal(authenticated, origin)
        guard !wanted.isEmpty, wanted != credentials.authentication else {
            return Identity(user: name, original: String(decoding: authenticated, as: UTF8.self))
        }
        let user = try normal(wanted, origin)
        let isSame = user.utf8.elementsEqual(name.utf8)
        return Identity(user: user, original: String(decoding: wanted, as: UTF8.self), master: isSame ? nil : name)
    }

    /// A name for a lookup without a login.
    func identity(of raw: [UInt8], _ origin: Origin) throws(NameProblem) -> Identity {
        Identity(user: try normal(raw, origin), original: String(decoding: raw, as: UTF8.self))
    }

    private func normal(_ raw: [UInt8], _ origin: Origin) throws(NameProblem) -> String {
        let table = VariableTable(origin, Identity(original: String(decoding: raw, as: UTF8.self)))
        return try settings.names.name(raw) { table[$0] }
    }

    /// Walks through the user databases and makes the answer complete. `passdb` are the fields of the login, if there was one.
    func user(
        _ identity: Identity, _ origin: Origin, passdb: FieldList?, account: (String, _ isGroup: Bool) -> UInt32?
    ) -> UserAnswer {
        var table = VariableTable(origin, identity)
        table.passdb = passdb ?? FieldList()
        let found: FieldList
        switch lookUp(identity, passdb, table) {
        case .found(let fields): found = fields
        case .unknownUser: return .unknown
        case .internalFailure: return .failed
        }
        do throws(UserProblem) {
            return .user(try MailUser(found, settings.mail, table, account: account))
        } catch {
            databases.notes.append(Note(.error, "userdb", origin, identity, error.text))
            return .failed
        }
    }

    private func lookUp(_ identity: Identity, _ passdb: FieldList?, _ table: VariableTable) -> UserdbAnswer {
        if settings.userdbs.isEmpty { return withoutUserdb(identity, passdb, table) }
        var chain = UserdbChain(settings.userdbs)
        var step = chain.begin()
        while true {
            switch step {
            case .ask(let index):
                step = chain.receive(databases.ask(userdb: settings.userdbs[index], name: identity.user, passdb: passdb, table))
            case .finished(let answer):
                return answer
            }
        }
    }

    /// No userdb is configured: ids and home come from mail_uid, mail_gid and mail_home, for users that a passdb knows.
    private func withoutUserdb(_ identity: Identity, _ passdb: FieldList?, _ table: VariableTable) -> UserdbAnswer {
        let all = UserdbSettings(driverName: "static", driver: .fixed(allowsAll: false))
        return databases.ask(userdb: all, name: identity.user, passdb: passdb, table)
    }
}
