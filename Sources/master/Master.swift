internal import Confinement
internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// `culver`: starts, watches and stops all others, owns the listening sockets, and never reads a byte of a client.
@main
enum Master {
    static func main() {
        Title.prepare()
        let arguments = Array(CommandLine.arguments.dropFirst())
        do throws(Options.Mistake) {
            run(try Options(arguments))
        } catch {
            Terminal.print("\(Options.usage)\n")
            Terminal.fail("Fatal: \(error.text)")
        }
    }

    private static func run(_ options: Options) {
        switch options.task {
        case .version: Terminal.output("\(Build.version)\n")
        case .buildOptions:
            Terminal.output(
                "Build options: ioloop=epoll notify=inotify openssl\nSQL drivers:\nPassdb: passwd-file static\nUserdb: passwd-file static\n"
            )
        case .hostDomain: Terminal.output(Account.hostName + "\n")
        case .help: Terminal.print(Options.usage + "\n")
        case .administer:
            let command = Self.commandPath
            let error = Process.execute(
                path: command, arguments: [command] + options.administration, environment: Start.inheritedEnvironment)
            Terminal.fail("Fatal: \(error)", code: 84)
        case .run(let foreground): Start.suite(options, foreground: foreground)
        }
    }

    /// `culveradm` lies beside us in bin, or in the same folder.
    private static var commandPath: String {
        let own = FileSystem.linkTarget("/proc/self/exe") ?? ""
        let folder = own.split(separator: "/").dropLast()
        let beside = "/" + (folder + ["culveradm"]).joined(separator: "/")
        if FileSystem.isExecutable(beside) { return beside }
        return "/" + (folder.dropLast() + ["bin", "culveradm"]).joined(separator: "/")
    }
}

/// What master says before it has a log.
enum Terminal {
    static func output(_ text: String) { write(text, 1) }
    static func print(_ text: String) { write(text, 2) }

    /// What was started has lost its channel, and ends: whoever starts us again meets nothing that is left of us.
    static func fail(_ text: String, code: Int32 = 89) -> Never {
        print(text + "\n")
        Process.reapAll(milliseconds: 2_000)
        Process.exit(code)
    }

    private static func write(_ text: String, _ number: Int32) {
        let stream = FileDescriptor(adopting: number)
        do throws(SystemError) { try stream.writeAll(Array(text.utf8)) } catch {}
        _ = stream.release()
    }
}
