import IPCProtocol
import Platform
import ServiceKit
import Testing

@testable import master

/// The config process, played by the test.
private struct FakeConfig {
    let client: ConfigurationClient
    let channel: Channel

    init(hello: Hello? = Hello(role: "config")) throws {
        let (ours, theirs) = try SocketPair().split()
        client = ConfigurationClient(Channel(FileDescriptor(adopting: ours)), program: "/x/config")
        channel = Channel(FileDescriptor(adopting: theirs))
        if let hello { try channel.send(ConfigToMaster.hello(hello)) }
    }

    func send(_ message: ConfigToMaster, image values: [String: String]? = nil) throws {
        guard let values else { return try channel.send(message, request: 1) }
        let file = try MemoryFile.sealed(name: "settings", content: try SettingsImage(blocks: [.init(values: values)]).encoded())
        try channel.send(message, request: 1, descriptors: [file.number])
    }

    func service(
        _ name: String, type: String = "", protocolName: String = "", processes: UInt32 = 1, clients: UInt32 = 1, requests: UInt32 = 1
    )
        throws
    {
        var plan = ServicePlan()
        plan.name = name
        plan.type = type
        plan.protocolName = protocolName
        plan.processLimit = processes
        plan.clientLimit = clients
        plan.requestLimit = requests
        try send(.service(plan), image: ["of": name])
    }

    func plan() throws -> Plan {
        try send(.loaded(.init(isValid: true, protocols: "imap", version: "2.4")))
        guard case .loaded(let plan) = client.receive(wait: false) else { throw ChannelError.closed }
        return plan
    }
}

@Suite("A configuration as config gives it")
struct PlanTests {
    @Test("has settings, services and listeners in their order") func complete() throws {
        let config = try FakeConfig()
        try config.client.load(path: "/x", overrides: ["a=b"])
        guard let asked = try config.channel.receive(MasterToConfig.self) else { throw ChannelError.closed }
        let request = asked.message
        #expect(request == .load(.init(path: "/x", overrides: ["a=b"])))
        guard case .loading = config.client.receive(wait: false) else { throw ChannelError.closed }
        try config.send(.diagnostic(.init(isError: false, summary: "first", text: "first\nline shown\n  ^")))
        try config.send(.base, image: ["base_dir": "/run/x"])
        try config.service("imap-login", type: "login", protocolName: "imap")
        var listener = PlannedListener()
        for name in ["imap", "imaps"] {
            listener.name = name
            try config.send(.listener(listener))
        }
        try config.service("auth")
        guard case .loading = config.client.receive(wait: false) else { throw ChannelError.closed }
        let plan = try config.plan()
        #expect(plan.base["base_dir"] == "/run/x" && plan.protocols == "imap")
        #expect(plan.services.map(\.plan.name) == ["imap-login", "auth"])
        #expect(plan["imap-login"]?.listeners.map(\.name) == ["imap", "imaps"] && plan["auth"]?.listeners.isEmpty == true)
        #expect(plan.diagnostics.map(\.summary) == ["first"])
        #expect(plan["pop3"] == nil)
    }

    @Test("that is not valid brings its diagnostics only") func invalid() throws {
        let config = try FakeConfig()
        try config.send(.diagnostic(.init(isError: true, summary: "bad", text: "bad")))
        try config.send(.loaded(.init(isValid: false, protocols: "", version: "2.3")))
        guard case .invalid(let diagnostics) = config.client.receive(wait: false) else { throw ChannelError.closed }
        #expect(diagnostics.map(\.text) == ["bad"])
    }

    @Test("is not there when config ends, or sends what it may not") func failed() throws {
        let config = try FakeConfig()
        try DatagramSocket.send(Array("garbage garbage garbage".utf8), to: config.channel.number)
        guard case .failed(let text) = config.client.receive(wait: false) else { throw ChannelError.closed }
        #expect(text == "config process: not a frame of this protocol")
        let client: ConfigurationClient
        do { client = try FakeConfig().client }
        guard case .failed(let end) = client.receive(wait: true) else { throw ChannelError.closed }
        #expect(end == "config process: channel closed by its peer")
    }

    @Test(
        "is refused from a config of another build, with both versions, its path and what to do",
        arguments: [
            (Hello(role: "config", build: "9.9"), "/x/config is version 9.9 (protocol version \(FrameHeader.version)), this process is"),
            (Hello(role: "config", version: 77), "/x/config is version \(Build.version) (protocol version 77), this process is"),
            (nil, "/x/config is of a version that does not tell its own, this process is"),
        ])
    func otherBuild(_ hello: Hello?, _ text: String) throws {
        let config = try FakeConfig(hello: hello)
        try config.send(.loaded(.init(isValid: true, protocols: "", version: "2.4")))
        guard case .failed(let said) = config.client.receive(wait: false) else { throw ChannelError.closed }
        #expect(said.hasPrefix("\(text) version \(Build.version) (protocol version \(FrameHeader.version)): "))
        #expect(said.hasSuffix("Install all executables of one version, then stop and start Culver") && config.client.isRefused)
    }

    @Test("is refused from a config that speaks another protocol version") func otherProtocol() throws {
        let config = try FakeConfig(hello: nil)
        var head = FrameHeader(kind: 6, descriptorCount: 0, request: 0, payloadLength: 0).encoded()
        head[2] = 9
        try DatagramSocket.send(head, to: config.channel.number)
        guard case .failed(let said) = config.client.receive(wait: false) else { throw ChannelError.closed }
        #expect(said.hasPrefix("/x/config is of protocol version 9, this process is version \(Build.version)"))
    }

    @Test("begins anew with each load") func again() throws {
        let config = try FakeConfig()
        try config.service("old")
        _ = config.client.receive(wait: false)
        try config.client.load(path: "/x", overrides: [])
        try config.service("new")
        #expect(try config.plan().services.map(\.plan.name) == ["new"])
    }
}

@Suite("Limits that cannot hold")
struct LimitCheckTests {
    private func warnings(_ fill: (FakeConfig) throws -> Void) throws -> [String] {
        let config = try FakeConfig()
        try fill(config)
        return LimitCheck.warnings(try config.plan())
    }

    @Test("are none in a configuration that fits") func fits() throws {
        let found = try warnings { config in
            try config.service("imap-login", type: "login", protocolName: "imap", processes: 100)
            try config.service("imap", protocolName: "imap", processes: 1024)
            try config.service("auth", clients: 100)
            try config.service("anvil", type: "anvil", clients: 103)
        }
        #expect(found == [])
    }

    @Test("of auth and anvil are counted, and the sum is shown") func sums() throws {
        let found = try warnings { config in
            try config.service("imap-login", type: "login", protocolName: "imap", processes: 100)
            try config.service("pop3-login", type: "login", protocolName: "pop3", processes: 50)
            try config.service("auth", clients: 149)
            try config.service("anvil", type: "anvil", clients: 152)
        }
        let sum = "service imap-login { process_limit=100 } + service pop3-login { process_limit=50 }"
        #expect(
            found == [
                "service auth { client_limit=149 } is lower than required under max. load (150). Counted with: \(sum)",
                "service anvil { client_limit=152 } is lower than required under max. load (153). Counted with: \(sum)"
                    + " + service auth { process_limit=1 }",
            ])
    }

    @Test("of a mail service that is to serve several clients are explained") func mailService() throws {
        let found = try warnings { try $0.service("imap", protocolName: "imap", clients: 5, requests: 0) }
        #expect(found.count == 2)
        #expect(found[0].hasPrefix("service(imap): client_limit=5 is treated as 1"))
        #expect(found[1].hasPrefix("service(imap): service_count=unlimited gives up confinement per user"))
    }

    @Test("of descriptors name the largest service") func descriptors() throws {
        let found = try warnings { try $0.service("imap-login", type: "login", protocolName: "imap", clients: .max) }
        #expect(found.count == 1 && found[0].contains("< \(UInt32.max)), because of service imap-login { client_limit }"))
    }
}
