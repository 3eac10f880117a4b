import Glibc
import Platform
import Testing

@testable import TLS

/// Both ends of a connection inside this process; one thread plays both sides.
struct Pair: ~Copyable {
    let near: FileDescriptor
    let far: FileDescriptor

    init() throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        try #require(unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0)
        near = FileDescriptor(adopting: ends[0])
        far = FileDescriptor(adopting: ends[1])
    }

    /// The far side leaves without a word.
    func cut() throws { try #require(Glibc.shutdown(far.number, Int32(SHUT_RDWR)) == 0) }
}

/// The outcome of a handshake between a server and a client of this process.
struct Meeting: ~Copyable {
    let pair: Pair
    let server: TLSStream
    let client: TLSStream
    let ours: TLSProgress
    let theirs: TLSProgress

    init(_ settings: TLSServer, asking name: String? = nil, client minimum: TLSVersion = .tls12, offering protocols: [UInt8]? = nil) throws
    {
        let pair = try Pair()
        let server = try TLSStream(settings, on: pair.near)
        let context = try TLSContext(clientWith: minimum)
        if let protocols { context.offer(protocols) }
        let client = try TLSStream(client: context, name: name, on: pair.far)
        var (ours, theirs) = (TLSProgress.wantRead, TLSProgress.wantRead)
        for _ in 0..<10 {
            if theirs == .wantRead { theirs = client.handshake() }
            if ours == .wantRead { ours = server.handshake() }
        }
        self.pair = pair
        self.server = server
        self.client = client
        self.ours = ours
        self.theirs = theirs
    }
}

extension TLSSettings {
    static var test: TLSSettings { made(of: Fixture.certificate, Fixture.key) }
    static var other: TLSSettings { made(of: Fixture.otherCertificate, Fixture.otherKey) }

    private static func made(of chain: String, _ key: String) -> TLSSettings {
        TLSSettings(identities: [TLSIdentity(chain: Array(chain.utf8), key: .pem(Array(key.utf8), password: nil))])
    }
}
