import Testing

@testable import master

@Suite("The command line of culver")
struct OptionsTests {
    @Test(
        "says what to do",
        arguments: [
            ([], .run(foreground: false)),
            (["-F"], .run(foreground: true)),
            (["-F", "-c", "/x", "-o", "a=b"], .run(foreground: true)),
            (["--version"], .version),
            (["--build-options"], .buildOptions),
            (["--hostdomain"], .hostDomain),
            (["--help"], .help),
            (["-n"], .administer(["config", "-n"])),
            (["-a"], .administer(["config", "-a"])),
            (["-n", "-F"], .administer(["config", "-n"])),
            (["stop"], .administer(["stop"])),
            (["reload"], .administer(["reload"])),
            (["--log-error"], .administer(["log", "test"])),
            (["service", "stop", "-F", "--x"], .administer(["service", "stop", "-F", "--x"])),
        ] as [([String], Options.Task)])
    func tasks(_ arguments: [String], _ task: Options.Task) throws {
        #expect(try Options(arguments).task == task)
    }

    @Test("carries file, instance and settings, the settings in their order") func values() throws {
        let options = try Options(["-o", "a=b", "-c", "/etc/x.conf", "-i", "two", "-o", "-c"])
        #expect(options.configuration == "/etc/x.conf" && options.instance == "two" && options.overrides == ["a=b", "-c"])
    }

    @Test("hands its own options on to culveradm") func administration() throws {
        let options = try Options(["-c", "/x", "-i", "two", "-o", "a=b", "who", "ada"])
        #expect(options.administration == ["-c", "/x", "-i", "two", "-o", "a=b", "who", "ada"])
        #expect(try Options(["-F"]).administration == [])
    }

    @Test(
        "is refused with what it does not know or what is missing",
        arguments: [
            (["-x"], "Unknown option: -x"), (["--verbose"], "Unknown argument: --verbose"), (["-c"], "-c needs a value"),
            (["-F", "-o"], "-o needs a value"), (["-i"], "-i needs a value"), (["-"], "Unknown option: -"),
            (["-Fc"], "Unknown option: -Fc"),
        ])
    func mistakes(_ arguments: [String], _ text: String) {
        #expect(throws: Options.Mistake(text: text)) { try Options(arguments) }
    }

    @Test("says what to do about a key with a password") func password() {
        #expect(throws: Options.Mistake.self) { try Options(["-p"]) }
    }
}
