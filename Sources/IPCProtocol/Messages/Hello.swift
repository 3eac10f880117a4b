/// The first message each way between master and a process that it executed: whether both come from one build. Workers are forked, not
/// executed, so all other channels join processes that have proven this.
package struct Hello: Fields, Equatable {
    /// Role of the speaker: `master`, or the name of the service.
    package var role = ""
    /// As in the head of its frames.
    package var version: UInt16 = 0
    /// Version of the suite that the executable was built as.
    package var build = ""

    package init() {}

    package init(role: String, version: UInt16 = FrameHeader.version, build: String = Build.version) {
        self.role = role
        self.version = version
        self.build = build
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&role, "role", atMost: 64)
        try visitor.uint16(&version, "version")
        try visitor.text(&build, "build", atMost: 64)
    }
}

/// What this executable was built as; the same in all executables of a suite.
package enum Build {
    package static let version = "0.1.0"
}

/// The other side is of another build: an upgrade that is not complete, or that the running suite has not noticed.
package struct BuildMismatch: Error, CustomStringConvertible {
    private let text: String
    package var description: String { text }

    /// `program`: the peer as administrators know it, with its path where that is known.
    private init(program: String, theirs: String, ours: String) {
        text =
            "\(program) is \(theirs), this process is \(ours): executables of two builds are mixed, as after an upgrade of a running suite."
            + " Install all executables of one version, then stop and start Culver"
    }

    /// The first message of `program` was this; nil: it fits.
    package static func check(_ hello: Hello, of program: String) -> BuildMismatch? {
        let ours = Hello(role: "")
        guard hello.version != ours.version || hello.build != ours.build else { return nil }
        return BuildMismatch(program: program, theirs: name(hello), ours: name(ours))
    }

    /// The first message was something else, or could not be read; nil: that has nothing to do with builds.
    package static func instead(of error: FrameError?, from program: String) -> BuildMismatch? {
        let ours = name(Hello(role: ""))
        switch error {
        case .wrongVersion(let theirs, _): return BuildMismatch(program: program, theirs: "of protocol version \(theirs)", ours: ours)
        case nil: return BuildMismatch(program: program, theirs: "of a version that does not tell its own", ours: ours)
        default: return nil
        }
    }

    private static func name(_ hello: Hello) -> String { "version \(hello.build) (protocol version \(hello.version))" }
}
