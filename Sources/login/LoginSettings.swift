internal import IMAPSyntax
internal import IPCProtocol
internal import Platform
internal import ServiceKit
internal import TLS
internal import Variables

/// The settings of a login service, made ready once in the zygote; all clients share them.
///
/// One object, made after the heap is settled: what each client copies of it lies on few pages, and a worker has to copy those.
final class LoginSettings {
    let offer: IMAPDialogue.Offer
    let tls: TLSServer?
    let logLine: LoginLine
    let showsUser: Bool
    /// Networks whose connections count as secured (login_trusted_networks).
    let trusted: [AddressRange]
    /// Proxies that may say who their clients are (haproxy_trusted_networks), and how many milliseconds they have for it.
    let proxies: [AddressRange]
    let proxyTime: Int64

    /// Time to log in, in all (security.md 6).
    static let loginTime: Int64 = 180_000
    static let handshakeTime: Int64 = 10_000
    /// How long a login waits for an auth or mail service that is being started again.
    static let restartPatience: Int64 = 10_000

    init(_ startup: Startup, tls: TLSServer?) {
        self.tls = tls
        let settings = startup.settings
        let ssl = settings["ssl"]
        var offer = IMAPDialogue.Offer()
        offer.serverID = String(decoding: ServerID.response(settings["imap_id_send"], version: Build.version), as: UTF8.self)
        if !settings["login_greeting"].isEmpty { offer.greeting = settings["login_greeting"] }
        let mechanisms = settings.words("auth_mechanisms").map { $0.uppercased() }
        offer.mechanisms = mechanisms.isEmpty ? ["PLAIN"] : mechanisms
        offer.allowsCleartext = settings.bool("auth_allow_cleartext")
        offer.requiresTLS = ssl == "required"
        if settings.bool("imap_literal_minus") { offer.capabilities.replaceLast("LITERAL+", with: "LITERAL-") }
        let extra = settings["imap_capability"]
        if extra.hasPrefix("+") { offer.capabilities += " " + extra.dropFirst() } else if !extra.isEmpty { offer.capabilities = extra }
        offer.canStartTLS = tls != nil
        self.offer = offer
        logLine = LoginLine(settings)
        showsUser = startup.order.showsUser
        // 2.4: who has to use TLS has to from there, too (operations.md 14).
        let trustIsTLS = !(settings["config_dialect"] == "2.4" && ssl == "required")
        trusted = trustIsTLS ? settings.words("login_trusted_networks").compactMap { AddressRange($0) } : []
        proxies = settings.words("haproxy_trusted_networks").compactMap { AddressRange($0) }
        proxyTime = settings.milliseconds("haproxy_timeout", default: 3_000)
    }

    /// Reads certificates and keys; nil without TLS.
    static func server(_ startup: Startup) throws(StartFailure) -> TLSServer? {
        let settings = startup.settings
        if settings["ssl"] == "no" { return nil }
        guard let main = tlsSettings(settings["ssl_server_cert"], settings["ssl_server_key"], settings) else {
            throw StartFailure("ssl enabled, but ssl_server_cert_file (ssl_cert) is not set: set it, or write ssl = no")
        }
        var hosts: [TLSHost] = []
        for block in settings.image.blocks where !block.localName.isEmpty {
            guard
                let identity = tlsSettings(
                    block.values["ssl_server_cert"] ?? settings["ssl_server_cert"],
                    block.values["ssl_server_key"] ?? settings["ssl_server_key"], settings)
            else { continue }
            for name in block.localName.split(separator: " ") { hosts.append(TLSHost(name: String(name), settings: identity)) }
        }
        do throws(TLSError) {
            let server = try TLSServer(main, hosts: hosts, applicationProtocol: startup.order.protocolName)
            try server.rehearse()
            return server
        } catch {
            throw StartFailure("Couldn't initialize SSL context: \(error)")
        }
    }

    private static func tlsSettings(_ certificate: String, _ key: String, _ settings: Settings) -> TLSSettings? {
        guard !certificate.isEmpty, !key.isEmpty else { return nil }
        var result = TLSSettings(identities: [TLSIdentity(chain: Array(certificate.utf8), key: .pem(Array(key.utf8), password: nil))])
        result.minimum = TLSVersion(setting: settings["ssl_min_protocol"]) ?? .tls12
        func text(_ name: String) -> String? { settings[name].isEmpty ? nil : settings[name] }
        result.cipherList = text("ssl_cipher_list")
        result.cipherSuites = text("ssl_cipher_suites")
        result.curveList = text("ssl_curve_list")
        result.prefersServerCiphers = settings["ssl_server_prefer_ciphers"] == "server"
        result.offersTickets = !settings.words("ssl_options").contains("no_ticket")
        return result
    }
}

extension String {
    fileprivate mutating func replaceLast(_ word: String, with other: String) {
        guard hasSuffix(word) else { return }
        removeLast(word.count)
        self += other
    }
}

/// The line that each connection leaves in the log: `login_log_format` and its elements (operations.md 4).
struct LoginLine {
    private let frame: Template?
    private let elements: [(template: Template, isAlways: Bool)]

    init(_ settings: Settings) {
        let dialect: TemplateDialect = settings["config_dialect"] == "2.4" ? .pipelines : .letters
        func template(_ text: String, _ scope: VariableScope) -> Template? {
            do throws(TemplateError) { return try Template(text, dialect: dialect, scope: scope) } catch { return nil }
        }
        let format = settings["login_log_format"]
        frame = template(format.isEmpty ? (dialect == .letters ? "%$: %s" : "%{message}: %{elements}") : format, .loginLog)
        var words = settings.words("login_log_format_elements")
        if words.isEmpty {
            words = [
                "user=<%{user}>", "method=%{mechanism}", "rip=%{remote_ip}", "lip=%{local_ip}", "mpid=%{mail_pid}", "%{secured}",
                "session=<%{session}>",
            ]
        }
        elements = words.compactMap { word in
            template(word, .login).map { ($0, $0.names.contains("user") || $0.names.contains("username")) }
        }
    }

    /// An element whose variables are all empty is dropped, unless it names the user: `user=<>` stays.
    func text(_ message: String, _ values: [String: String]) -> String {
        var parts: [String] = []
        for (template, isAlways) in elements {
            let isEmpty = !template.isConstant && template.names.allSatisfy { values[$0, default: ""].isEmpty }
            if isEmpty && !isAlways { continue }
            do throws(TemplateError) { parts.append(try template.expand { values[$0] ?? "" }) } catch { continue }
        }
        let joined = parts.joined(separator: ", ")
        do throws(TemplateError) {
            return try frame?.expand(["message": message, "elements": joined]) ?? "\(message): \(joined)"
        } catch {
            return "\(message): \(joined)"
        }
    }
}
