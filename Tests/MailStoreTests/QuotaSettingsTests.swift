import Testing

@testable import MailStore

@Suite("Quota settings")
struct QuotaSettingsTests {
    private func read(_ values: [String: String], _ fields: [String: String] = [:], dialect: String = "2.3") -> (QuotaSettings?, [String]) {
        var complaints: [String] = []
        var all = values
        all["config_dialect"] = dialect
        all["mail_plugins"] = all["mail_plugins"] ?? "quota"
        let settings = QuotaSettings(values: all, fields: fields) { complaints.append($0) }
        return (settings, complaints)
    }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("2.3: rules with units, for all mailboxes and for single ones")
    func old() throws {
        let (found, complaints) = read([
            "plugin/quota": "count:User quota", "plugin/quota_rule": "*:storage=1G:messages=1000",
            "plugin/quota_rule2": "Trash:storage=+100M",
            "plugin/quota_rule3": "Junk:ignore", "plugin/quota_rule4": "Archive/*:storage=+10%%",
            "plugin/quota_rule5": "Big:storage=2048:messages=0",
        ])
        let quota = try #require(found)
        #expect(complaints.isEmpty)
        #expect(quota.name == bytes("User quota"))
        #expect(quota.limits(of: bytes("INBOX")) == MailboxLimits(storage: 1 << 30, messages: 1_000))
        #expect(quota.limits(of: bytes("Trash")) == MailboxLimits(storage: 1 << 30 + 100 << 20, messages: 1_000))
        #expect(quota.limits(of: bytes("Junk")).isIgnored)
        #expect(quota.limits(of: bytes("Archive/2024")).storage == 1_181_116_006)
        #expect(quota.limits(of: bytes("Big")) == MailboxLimits(storage: 2_048 * 1_024, messages: nil), "storage counts in kilobytes")
    }

    @Test("the user database has the last word")
    func fields() throws {
        let quota = try #require(read(["plugin/quota": "maildir:Q", "plugin/quota_rule": "*:storage=1G"], ["quota_rule": "*:bytes=500"]).0)
        #expect(quota.limits(of: bytes("INBOX")).storage == 500)
        let new = try #require(
            read(["quota/User quota/driver": "count", "quota_storage_size": "1000"], ["quota_storage_size": "3000"], dialect: "2.4").0)
        #expect(new.limits(of: bytes("INBOX")).storage == 3_000)
    }

    @Test("2.4: a section and settings, also inside mailboxes")
    func new() throws {
        let quota = try #require(
            read(
                [
                    "quota/User quota/driver": "count", "quota_storage_size": "1000000", "quota_message_count": "50",
                    "quota_storage_percentage": "90", "namespace/inbox/mailbox/Trash/quota_storage_extra": "1000",
                    "namespace/inbox/mailbox/Junk/quota_ignore": "yes", "namespace/inbox/mailbox/Sent/quota_storage_percentage": "120",
                    "quota_mail_size": "5000", "quota_exceeded_message": "Too much",
                ], dialect: "2.4"
            ).0)
        #expect(quota.limits(of: bytes("INBOX")) == MailboxLimits(storage: 900_000, messages: 50))
        #expect(quota.limits(of: bytes("Trash")).storage == 901_000)
        #expect(quota.limits(of: bytes("Sent")).storage == 1_080_000)
        #expect(quota.limits(of: bytes("Junk")).isIgnored)
        #expect((quota.mailSize, quota.exceededMessage) == (5_000, "Too much"))
        #expect(quota.grace == .plus(10 << 20))
    }

    @Test("grace, hidden and not enforced")
    func arguments() throws {
        let quota = try #require(read(["plugin/quota": "count:Q:hidden:noenforcing", "plugin/quota_grace": "10%%"]).0)
        #expect(quota.isHidden && !quota.isEnforced)
        #expect(quota.grace == .percent(10))
        #expect(try #require(read(["plugin/quota": "count", "plugin/quota_grace": "50M"]).0).grace == .plus(50 << 20))
        #expect(quota.limits(of: bytes("INBOX")) == MailboxLimits())
    }

    @Test("no quota without its plugin, its root or its driver; nonsense is named and not used")
    func none() throws {
        #expect(read(["plugin/quota": "count:Q", "mail_plugins": "acl"]).0 == nil)
        #expect(read([:]).0 == nil)
        let (foreign, complaints) = read(["plugin/quota": "fs:Disk quota"])
        #expect(foreign == nil && complaints.count == 1)
        let (found, more) = read(["plugin/quota": "count:Q", "plugin/quota_rule": "*:storage=many", "plugin/quota_rule2": "*:messages=3"])
        #expect(more.count == 1)
        #expect(try #require(found).limits(of: bytes("INBOX")) == MailboxLimits(storage: nil, messages: 3))
    }

    @Test("numbers at their ends do not overflow")
    func ends() throws {
        let quota = try #require(
            read(["plugin/quota": "count:Q", "plugin/quota_rule": "*:bytes=9223372036854775807", "plugin/quota_rule2": "T:storage=+1000%%"])
                .0)
        #expect(quota.limits(of: bytes("T")).storage == .max)
        #expect(read(["plugin/quota": "count:Q", "plugin/quota_rule": "*:storage=9223372036854775807"]).1.count == 1)
    }

    @Test("masks")
    func masks() {
        for (mask, name, wanted) in [
            ("*", "a", true), ("a*c", "abbc", true), ("a*c", "abbd", false), ("a?c", "abc", true), ("", "", true), ("*a*b", "xaxb", true),
        ] {
            #expect(WildcardMask.matches(bytes(mask), bytes(name)) == wanted, "\(mask) \(name)")
        }
    }
}
