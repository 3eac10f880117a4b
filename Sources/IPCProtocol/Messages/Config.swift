/// What master asks of the configuration process.
package enum MasterToConfig: Message {
    /// Read the configuration and answer with diagnostics, services and loaded.
    case load(LoadRequest)
    /// Comes first: who master is, and of which build.
    case hello(Hello)

    package static var channel: String { "MasterToConfig" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .load(LoadRequest())
        case 2: .hello(Hello())
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .load: 1
        case .hello: 2
        }
    }

    package var name: String {
        switch self {
        case .load: "load"
        case .hello: "hello"
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .load(var fields):
            try fields.visit(&visitor)
            self = .load(fields)
        case .hello(var fields):
            try fields.visit(&visitor)
            self = .hello(fields)
        }
    }
}

/// What the configuration process answers.
package enum ConfigToMaster: Message {
    /// One error or warning, as text for the administrator.
    case diagnostic(ConfigDiagnostic)
    /// One service with its own part of the settings (sealed memory file).
    case service(ServicePlan)
    /// A listener of the service named last.
    case listener(PlannedListener)
    /// The end: whether the configuration is valid.
    case loaded(LoadResult)
    /// The settings of master itself (sealed memory file); before the services.
    case base
    /// Comes first: of which build config is.
    case hello(Hello)

    package static var channel: String { "ConfigToMaster" }

    package static func prototype(_ kind: UInt16) -> Self? {
        switch kind {
        case 1: .diagnostic(ConfigDiagnostic())
        case 2: .service(ServicePlan())
        case 3: .listener(PlannedListener())
        case 4: .loaded(LoadResult())
        case 5: .base
        case 6: .hello(Hello())
        default: nil
        }
    }

    package var kind: UInt16 {
        switch self {
        case .diagnostic: 1
        case .service: 2
        case .listener: 3
        case .loaded: 4
        case .base: 5
        case .hello: 6
        }
    }

    package var name: String {
        switch self {
        case .diagnostic: "diagnostic"
        case .service: "service"
        case .listener: "listener"
        case .loaded: "loaded"
        case .base: "base"
        case .hello: "hello"
        }
    }

    package var descriptorCount: Int {
        switch self {
        case .service, .base: 1
        default: 0
        }
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        switch self {
        case .diagnostic(var fields):
            try fields.visit(&visitor)
            self = .diagnostic(fields)
        case .service(var fields):
            try fields.visit(&visitor)
            self = .service(fields)
        case .listener(var fields):
            try fields.visit(&visitor)
            self = .listener(fields)
        case .loaded(var fields):
            try fields.visit(&visitor)
            self = .loaded(fields)
        case .hello(var fields):
            try fields.visit(&visitor)
            self = .hello(fields)
        case .base: break
        }
    }
}

/// What to read.
package struct LoadRequest: Fields {
    /// The main file.
    package var path = ""
    /// `name=value` of -o.
    package var overrides: [String] = []

    package init() {}

    package init(path: String, overrides: [String]) {
        self.path = path
        self.overrides = overrides
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&path, "path", atMost: 4096)
        try visitor.texts(&overrides, "overrides", atMost: 64, size: 1024)
    }
}

/// A message about the configuration.
package struct ConfigDiagnostic: Fields {
    package var isError: Bool = false
    /// One line, for the log.
    package var summary = ""
    /// With the line of the file, for the terminal.
    package var text = ""

    package init() {}

    package init(isError: Bool, summary: String, text: String) {
        self.isError = isError
        self.summary = summary
        self.text = text
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.bool(&isError, "isError")
        try visitor.text(&summary, "summary", atMost: 1024)
        try visitor.text(&text, "text", atMost: 4096)
    }
}

/// How loading ended.
package struct LoadResult: Fields {
    package var isValid: Bool = false
    /// Enabled protocols, separated by blanks.
    package var protocols = ""
    /// Dialect of the configuration: `2.3` or `2.4`.
    package var version = ""

    package init() {}

    package init(isValid: Bool, protocols: String, version: String) {
        self.isValid = isValid
        self.protocols = protocols
        self.version = version
    }

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.bool(&isValid, "isValid")
        try visitor.text(&protocols, "protocols", atMost: 256)
        try visitor.text(&version, "version", atMost: 64)
    }
}

/// A service as the configuration wants it (services.md 2); numbers are checked, names are not yet resolved.
package struct ServicePlan: Fields {
    package var name = ""
    /// Program role: name of the executable without its folder.
    package var role = ""
    /// `login`, `log`, `config`, `anvil`, `worker` or empty.
    package var type = ""
    package var protocolName = ""
    /// Absolute path.
    package var executable = ""
    package var arguments: [String] = []
    /// Empty: root.
    package var user = ""
    package var group = ""
    package var extraGroups: [String] = []
    /// Absolute path, or empty.
    package var chroot = ""
    package var processMinimum: UInt32 = 0
    package var processLimit: UInt32 = 0
    package var clientLimit: UInt32 = 0
    /// service_count; 0: unlimited.
    package var requestLimit: UInt32 = 0
    /// 0: never.
    package var idleKillMilliseconds: UInt64 = 0
    /// Bytes; 0: unlimited.
    package var vszLimit: UInt64 = 0

    package init() {}

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&name, "name", atMost: 64)
        try visitor.text(&role, "role", atMost: 32)
        try visitor.text(&type, "type", atMost: 16)
        try visitor.text(&protocolName, "protocolName", atMost: 32)
        try visitor.text(&executable, "executable", atMost: 4096)
        try visitor.texts(&arguments, "arguments", atMost: 16, size: 256)
        try visitor.text(&user, "user", atMost: 64)
        try visitor.text(&group, "group", atMost: 64)
        try visitor.texts(&extraGroups, "extraGroups", atMost: 16, size: 64)
        try visitor.text(&chroot, "chroot", atMost: 4096)
        try visitor.uint32(&processMinimum, "processMinimum")
        try visitor.uint32(&processLimit, "processLimit")
        try visitor.uint32(&clientLimit, "clientLimit")
        try visitor.uint32(&requestLimit, "requestLimit")
        try visitor.uint64(&idleKillMilliseconds, "idleKillMilliseconds")
        try visitor.uint64(&vszLimit, "vszLimit")
    }
}

/// A listener as the configuration wants it (services.md 3).
package struct PlannedListener: Fields {
    /// `unix`, `fifo` or `inet`.
    package var kind = ""
    /// Name, or absolute path.
    package var name = ""
    package var role = ""
    /// Numeric addresses of an inet listener.
    package var addresses: [String] = []
    package var port: UInt16 = 0
    package var isTLS: Bool = false
    package var isHAProxy: Bool = false
    package var mode: UInt16 = 0
    package var user = ""
    package var group = ""

    package init() {}

    package mutating func visit(_ visitor: inout some FieldVisitor) throws(FrameError) {
        try visitor.text(&kind, "kind", atMost: 8)
        try visitor.text(&name, "name", atMost: 256)
        try visitor.text(&role, "role", atMost: 32)
        try visitor.texts(&addresses, "addresses", atMost: 64, size: 64)
        try visitor.uint16(&port, "port")
        try visitor.bool(&isTLS, "isTLS")
        try visitor.bool(&isHAProxy, "isHAProxy")
        try visitor.uint16(&mode, "mode")
        try visitor.text(&user, "user", atMost: 64)
        try visitor.text(&group, "group", atMost: 64)
    }
}
