internal import IPCProtocol
internal import Confinement
internal import Platform
internal import ServiceKit

/// Checks credentials, finds users, issues and redeems tickets. Reads password files; has neither network nor mail.
@main
enum Auth {
    static func main() {
        Startup.run { () throws(StartFailure) in
            let startup = try Startup()
            let settings = try AuthSettings(startup.settings)
            let accounts = Accounts(
                users: settings.constantNames("uid", settings.mail.uid), groups: settings.constantNames("gid", settings.mail.gid))
            let listeners = startup.listeners.map { textListener($0, startup.settings, settings) }
            let rules = settings.fileDirectories.map { Landlock.Rule($0, .read) }
            try startup.confine(.auth, descriptors: 64 + Int(startup.order.clientLimit), rules: rules)
            let service = try AuthService(startup, settings, accounts: accounts, listeners: listeners)
            try startup.announceReady()
            do throws(SystemError) { try service.loop.run(service) } catch { throw StartFailure(error) }
        }
    }

    /// A socket that everybody may open (0666) tells strangers about themselves only; its owner is looked up while paths can be.
    private static func textListener(_ socket: InheritedListener, _ settings: Settings, _ auth: AuthSettings) -> AuthService.TextListener {
        let role = TextRole(socket.info.role, greetsAtOnce: auth.greetsAtOnce)
        var owner: (uid: UInt32, gid: UInt32)?
        if socket.info.mode == 0o666, role == .userdb || role == .master {
            let name = socket.info.name
            let path = name.hasPrefix("/") ? name : "\(settings["base_dir"])/\(name)"
            // Owner unknown: nobody but root is trusted.
            owner = FileSystem.info(path).map { ($0.uid, $0.gid) } ?? (0, 0)
        }
        return AuthService.TextListener(socket: socket, role: role, owner: owner)
    }
}
