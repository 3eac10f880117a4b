/// Entry point for fuzzing and mutation tests: a password file, and every password in it taken apart. Must never trap.
package func fuzzPasswordFile(_ input: [UInt8]) {
    let table = PasswordTable(input)
    for user in table.users.prefix(100) {
        guard let entry = table[user: user] else { continue }
        do throws(PasswordError) {
            let password = try StoredPassword(entry.password, default: .plain)
            // Hashes are not computed: their costs are the file's own and may be large.
            switch password.scheme {
            case .plain: _ = try password.matches(input)
            case .argon2i: _ = try ArgonHash(password.value, named: "argon2i")
            case .argon2id: _ = try ArgonHash(password.value, named: "argon2id")
            case .crypt: break
            }
        } catch { _ = error.description }
    }
}
