internal import Glibc

/// Gets the configuration tree that Debian's packages of Dovecot install.
enum PackageTree {
    struct Unavailable: Error {}

    static func unpack(into directory: String) throws -> String {
        let root = directory + "/root"
        if unsafe access(root + "/usr/share/dovecot/dovecot.conf", R_OK) == 0 { return root }
        let script = """
            set -e; command -v apt-get >/dev/null; mkdir -p \(directory) && cd \(directory)
            apt-get -q download dovecot-core dovecot-imapd dovecot-pop3d dovecot-lmtpd >/dev/null 2>&1
            for package in *.deb; do dpkg-deb -x "$package" new; done; rm -f *.deb; mv new root
            """
        guard unsafe system(script) == 0 else { throw Unavailable() }
        return root
    }
}
