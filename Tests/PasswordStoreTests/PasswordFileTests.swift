import Platform
import Testing

@testable import PasswordStore

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite("A line of a password file")
struct PasswordEntryTests {
    @Test(
        "is taken apart",
        arguments: [
            ("ada", "", "", "", "", [String]()),
            ("ada:", "", "", "", "", []),
            ("ada:{PLAIN}x", "{PLAIN}x", "", "", "", []),
            ("ada:pw:1000:100", "pw", "1000", "100", "", []),
            ("ada:pw:1000:100:Ada L.:/home/ada:/bin/sh", "pw", "1000", "100", "/home/ada", []),
            (
                "ada:pw:u:g::/h::a=1  b= c userdb_mail=maildir:~/Mail", "pw", "u", "g", "/h",
                ["a=1", "b=", "c=", "userdb_mail=maildir:~/Mail"]
            ),
            ("ada:pw::::::nologin reason=Closed", "pw", "", "", "", ["nologin=", "reason=Closed"]),
            ("ada:pw::::::x=a=b:c", "pw", "", "", "", ["x=a=b:c"]),
        ])
    func parts(_ line: String, _ password: String, _ uid: String, _ gid: String, _ home: String, _ extra: [String]) throws {
        let entry = try #require(PasswordEntry(bytes(line)))
        #expect(entry.user == bytes("ada"))
        #expect(entry.password == bytes(password))
        #expect(entry.uid == bytes(uid) && entry.gid == bytes(gid) && entry.home == bytes(home))
        #expect(entry.extra.map { "\($0.name)=\($0.value)" } == extra)
    }

    @Test("holds no entry when it is none", arguments: ["", "#ada:pw", ":pw", "a\0b:pw"])
    func isNone(_ line: String) { #expect(PasswordEntry(bytes(line)) == nil) }

    @Test("has a limit")
    func isLimited() {
        #expect(PasswordEntry(bytes("a:") + [UInt8](repeating: 0x61, count: Limits.line)) == nil)
    }
}

@Suite("A password file")
struct PasswordFileTests {
    @Test("finds users, whatever its line ends are")
    func finds() {
        let table = PasswordTable(bytes("# users\n\nada:1\r\nbob:2\nada:3\n:x\neve:4"))
        #expect(table[user: bytes("ada")]?.password == bytes("1"))
        #expect(table[user: bytes("bob")]?.password == bytes("2"))
        #expect(table[user: bytes("eve")]?.password == bytes("4"))
        #expect(table[user: bytes("ad")] == nil && table[user: bytes("ada:1")] == nil && table[user: []] == nil)
        #expect(table.duplicates == [bytes("ada")])
        #expect(table.example == bytes("1"))
    }

    @Test("is read again when it changes, and only then")
    func refreshes() throws {
        let path = "/tmp/culver-passwords-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileSystem.remove(path) }
        let files = PasswordFiles()
        #expect { try files.table(at: path) } throws: { ($0 as? PasswordFileError)?.isMissing == true }
        try write("ada:one\n", to: path)
        #expect(try files.table(at: path)[user: bytes("ada")]?.password == bytes("one"))
        try write("ada:three\n", to: path)
        #expect(try files.table(at: path)[user: bytes("ada")]?.password == bytes("three"))
        try write("ada:four\n", to: path + ".new")
        try FileSystem.rename(path + ".new", to: path)
        #expect(try files.table(at: path)[user: bytes("ada")]?.password == bytes("four"))
        try FileSystem.remove(path)
        #expect(throws: PasswordFileError.self) { try files.table(at: path) }
    }

    @Test("is refused when others may write it", arguments: [UInt32(0o620), 0o602, 0o666])
    func refuses(_ mode: UInt32) throws {
        let path = "/tmp/culver-passwords-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileSystem.remove(path) }
        try write("ada:one\n", to: path)
        let file = PasswordFile(path: path)
        #expect(try file.current().count == 1)
        try FileSystem.setMode(path, mode)
        #expect(throws: PasswordFileError.writableByOthers(path, mode: mode)) { try file.current() }
        try FileSystem.setMode(path, 0o640)
        #expect(try file.current().count == 1)
    }

    @Test("must be a regular file")
    func isRegular() {
        #expect(throws: PasswordFileError.notRegular("/tmp")) { try PasswordFile(path: "/tmp").current() }
        #expect(throws: PasswordFileError.notRegular("/dev/null")) { try PasswordFile(path: "/dev/null").current() }
    }

    private func write(_ text: String, to path: String) throws { try FileSystem.open(path, for: .write).writeAll(bytes(text)) }
}

@Suite("Text forms of hashes")
struct TextFormTests {
    @Test("are decoded", arguments: [("", ""), ("66", "f"), ("666F6f", "foo")])
    func hexadecimal(_ text: String, _ plain: String) { #expect(TextForm.hexadecimal(bytes(text)) == bytes(plain)) }

    @Test(
        "of base64 may leave out the padding",
        arguments: [
            ("", ""), ("Zg", "f"), ("Zg==", "f"), ("Zm8", "fo"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg", "foob"),
        ])
    func base64(_ text: String, _ plain: String) { #expect(TextForm.base64(bytes(text)) == bytes(plain)) }

    @Test("that are damaged give nothing", arguments: ["Z", "Zm9vZ", "Zg==Zg", "Zg===", "Z g", "Zm_v"])
    func refuses(_ text: String) { #expect(TextForm.base64(bytes(text)) == nil) }
}
