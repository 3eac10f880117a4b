import Testing

internal import Platform
@testable import Configuration

/// Files below a directory stand for those in `/`, with some of its own on top.
struct OverlaidFiles: FileSource {
    let root: String
    let own: MemoryFiles
    /// `/etc/dovecot` is filled from `/usr/share/dovecot` when the package is installed.
    func place(_ path: String) -> String {
        path.hasPrefix("/etc/dovecot/") ? root + "/usr/share/dovecot/" + path.dropFirst(13) : root + path
    }
    func content(of path: String) throws(FileFailure) -> [UInt8] {
        if let content = try? own.content(of: path) { return content }
        return try SystemFiles().content(of: place(path))
    }
    func names(in directory: String) -> [String] {
        own.names(in: directory) + SystemFiles().names(in: place(directory + "/"))
    }
}

@Suite("The tree of Debian's packages")
struct StockTreeTests {
    /// Unpacks the packages, or answers nil where there is no apt.
    static let unpacked: String? = {
        let directory = "/tmp/culver-stock-tree"
        return try? PackageTree.unpack(into: directory)
    }()

    @Test("loads unchanged, with warnings only")
    func debian() throws {
        guard let root = Self.unpacked else {
            print("skipped: the packages of Dovecot cannot be downloaded here")
            return
        }
        let own = MemoryFiles([
            "/etc/dovecot/private/dovecot.pem": "CERT", "/etc/dovecot/private/dovecot.key": "KEY",
            "/usr/share/dovecot/protocols.d/imapd.protocol": "protocols = $protocols imap\n",
            "/usr/share/dovecot/protocols.d/pop3d.protocol": "protocols = $protocols pop3\n",
            "/usr/share/dovecot/protocols.d/lmtpd.protocol": "protocols = $protocols lmtp\n",
        ])
        let configuration = ConfigurationLoader(source: OverlaidFiles(root: root, own: own)).load(path: "/etc/dovecot/dovecot.conf")
        #expect(configuration.errors == [])
        #expect(configuration.isValid)
        #expect(configuration.value("protocols") == "imap lmtp pop3")
        #expect(configuration.value("mail_driver") == "mbox")
        #expect(configuration.value("mail_inbox_path") == "/var/mail/%u")
        #expect(configuration.records(of: "passdb").map { $0["driver"] } == ["pam"])
        let inbox = try #require(configuration.records(of: "namespace").first)
        #expect(inbox.children.map(\.name) == ["Drafts", "Junk", "Trash", "Sent", "Sent Messages"])
        for warning in configuration.warnings { #expect(!warning.contains("Unknown")) }
        #expect(configuration.warnings.contains { $0.contains("passdb pam is not asked") })
    }
}
