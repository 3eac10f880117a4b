import Platform
import Testing

@testable import master

@Suite("The runtime directory")
struct BaseDirectoryTests {
    private func problem(_ base: BaseDirectory) -> String? {
        do throws(BaseDirectory.Problem) { _ = try base.prepare(loginGroup: nil) } catch { return error.text }
        return nil
    }

    @Test("is made with all that leads to it") func made() throws {
        let folder = try Folder()
        let base = BaseDirectory(path: folder.path + "/a/b/run")
        let warnings = try base.prepare(loginGroup: nil)
        #expect(warnings == [])
        #expect(folder.mode("a/b/run") == 0o755 && folder.mode("a/b/run/login") == 0o750 && folder.mode("a/b/run/empty") == 0o755)
        let again = try base.prepare(loginGroup: nil)
        #expect(again == [])
    }

    @Test("has its modes corrected, and says so") func corrected() throws {
        let folder = try Folder()
        let base = BaseDirectory(path: folder.path)
        _ = try base.prepare(loginGroup: nil)
        try FileSystem.setMode(folder.path, 0o700)
        try FileSystem.setMode(folder.path + "/login", 0o777)
        let warnings = try base.prepare(loginGroup: nil)
        #expect(
            warnings == ["Fixing permissions of \(folder.path) to 0755", "Fixing permissions of \(folder.path)/login to 0750"])
        #expect(FileSystem.info(folder.path)?.mode == 0o755 && folder.mode("login") == 0o750)
    }

    @Test("must be a directory, and so must what is in it") func noDirectory() throws {
        let folder = try Folder()
        try folder.write("file", "")
        #expect(problem(BaseDirectory(path: folder.path + "/file")) == "base_dir: \(folder.path)/file failed: Not a directory")
        try folder.write("login", "")
        #expect(problem(BaseDirectory(path: folder.path)) == "base_dir: \(folder.path)/login failed: Not a directory")
    }

    @Test("belongs to one instance: another that lives is named") func running() throws {
        let folder = try Folder()
        let base = BaseDirectory(path: folder.path)
        try folder.write("master.pid", "\(Process.parentID)\n")
        #expect(
            problem(base)
                == "Culver is already running with PID \(Process.parentID) (read from \(folder.path)/master.pid)")
    }

    @Test(
        "is free when the pid file is old, wrong or our own",
        arguments: ["2147483646\n", "", "x", "0", "-1x", "99999999999999", "٣", "own"])
    func free(_ text: String) throws {
        let folder = try Folder()
        try folder.write("master.pid", text == "own" ? "\(Process.id)\n" : text == "-1x" ? "-2147483646" : text)
        #expect(BaseDirectory(path: folder.path).runningPID == nil)
        #expect(problem(BaseDirectory(path: folder.path)) == nil)
    }

    @Test("holds the pid while the suite runs") func pid() throws {
        let folder = try Folder()
        let base = BaseDirectory(path: folder.path)
        try base.writePID()
        #expect(folder.text("master.pid") == "\(Process.id)\n")
        base.removePID()
        base.removePID()
        #expect(folder.text("master.pid") == nil)
    }

    @Test("points to the configuration in use") func link() throws {
        let folder = try Folder()
        let base = BaseDirectory(path: folder.path)
        for target in ["/etc/culver/culver.conf", "/etc/dovecot/dovecot.conf"] {
            base.link(configuration: target)
            #expect(FileSystem.linkTarget(folder.path + "/dovecot.conf") == target)
        }
    }

    @Test("tells the last fatal error once") func lastFatal() throws {
        let folder = try Folder()
        let base = BaseDirectory(path: folder.path)
        #expect(base.takeLastFatal() == nil)
        base.writeLastFatal("first\nout of luck")
        #expect(base.takeLastFatal() == "out of luck")
        #expect(base.takeLastFatal() == nil)
        base.writeLastFatal("")
        #expect(base.takeLastFatal() == "")
    }
}
