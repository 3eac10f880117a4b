// Plugins of Dovecot: what of them is built in, and what is said about the rest.
extension Validation {
    /// Words of `mail_plugins` that stand for something Culver has.
    private static let builtIn: Set<String> = ["quota", "imap_quota"]

    /// One warning for each key of `plugin` and `dict` and each plugin that nothing here reads.
    mutating func warnAboutPlugins() {
        var seen: Set<String> = []
        for assignment in document.assignments where !assignment.value.isEmpty && ["dict", "plugin"].contains(assignment.path.first) {
            guard seen.insert(assignment.name).inserted else { continue }
            if assignment.path == ["dict"] {
                log.warning("dict { \(assignment.name) } has no effect: \(Instead.dict)", at: assignment.location)
            } else if assignment.path == ["plugin"], !Schema.isQuotaKey(assignment.name) {
                let family = assignment.name.hasPrefix("sieve") ? Instead.sieve : assignment.name.hasPrefix("fts") ? Instead.fts : nil
                let sentence = family ?? Schema.family(of: assignment.name) ?? "no plugin of this version reads it"
                log.warning("plugin { \(assignment.name) } has no effect: \(sentence)", at: assignment.location)
            }
        }
        warnAboutNames(&seen)
    }

    private mutating func warnAboutNames(_ seen: inout Set<String>) {
        for assignment in document.assignments where assignment.setting?.name == "mail_plugins" {
            for word in assignment.element.map({ [$0] }) ?? SettingType.words(assignment.value)
            where !Self.builtIn.contains(word) && !word.hasPrefix("$") {
                guard seen.insert("mail_plugins \(word)").inserted else { continue }
                log.warning("mail_plugins: \(word) has no effect: \(Schema.family(of: word) ?? Instead.plugins)", at: assignment.location)
            }
        }
    }

    /// A quota that is configured and not in force, or not as it is written.
    mutating func warnAboutQuota() {
        let declared = document.declarations.filter { $0.path.count == 2 && $0.path[0] == "quota" }
        let old = document.assignments.last { $0.path == ["plugin"] && $0.name == "quota" && !$0.value.isEmpty }
        guard let place = old?.location ?? declared.first?.location else { return }
        let isOn = document.assignments.contains {
            $0.setting?.name == "mail_plugins" && ($0.element.map { [$0] } ?? SettingType.words($0.value)).contains("quota")
        }
        if !isOn {
            log.warning("quota is configured but not in force", at: place, expected: "the word quota in mail_plugins")
        }
        if let second = Set(declared.map { $0.path[1] }).count > 1 ? declared.last : nil {
            log.warning(
                "quota \(second.path[1]) has no effect: a user has one quota root, the first by name", at: second.location)
        }
        let driver = old.map { String($0.value.prefix { $0 != ":" }) }
        if let driver, !["count", "maildir", "dirsize"].contains(driver) {
            log.warning("quota = \(driver) has no effect: this driver is not available, nothing is counted", at: place, expected: "count")
        }
        for assignment in document.assignments where assignment.path.first == "quota" && assignment.setting?.name == "driver" {
            if !["count", "maildir"].contains(assignment.value) {
                log.warning("\(assignment.name) = \(assignment.value): nothing is counted", at: assignment.location, expected: "count")
            }
        }
    }
}
