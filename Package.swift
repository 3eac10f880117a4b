// swift-tools-version: 6.2
// The tree is the architecture: a `dependencies:` line below is a security decision
// and is reviewed as one (see ARCHITECTURE.md, "Who may import what").
import PackageDescription

/// Build settings of every Swift target.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

/// A library: what several processes share.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// All symbols are bound at start: relocated tables become read-only, and forked workers write (and so copy) no page for a first call.
let bindNow: [LinkerSetting] = [.unsafeFlags(["-Xlinker", "-z", "-Xlinker", "now"])]

/// A process, or a command of the administrator.
func process(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict, linkerSettings: bindNow)
}

/// The tests of one target.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name + "Tests", dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "culver",
    products: [
        .executable(name: "culver", targets: ["master"]),
        .executable(name: "culveradm", targets: ["adm"]),
        .executable(name: "culver-lda", targets: ["lda"]),
        .executable(name: "login", targets: ["login"]),
        .executable(name: "mail", targets: ["mail"]),
        .executable(name: "auth", targets: ["auth"]),
        .executable(name: "anvil", targets: ["anvil"]),
        .executable(name: "log", targets: ["logd"]),
        .executable(name: "config", targets: ["config"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
    ],
    targets: [
        // The kernel and the C libraries, wrapped once.
        .target(name: "CPlatform"),
        .target(name: "CUnicode"),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CCrypt", providers: [.apt(["libcrypt-dev", "libargon2-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        library("Platform", ["CPlatform"]),
        library("Confinement", ["CPlatform", "CSeccomp", "Platform"]),
        library("TLS", ["COpenSSL", "Platform"]),

        // What processes say to each other, and what they share.
        library("IPCProtocol", ["Platform"]),
        library("ServiceKit", ["IPCProtocol", "Platform", "Confinement"]),

        // Pure libraries: bytes in, values out.
        library("IMAPSyntax"),
        library("Iconv", ["CUnicode"]),
        library("ByteScan"),
        library("MessageFormat", ["ByteScan", "CUnicode", "Iconv"]),
        library("Base64"),
        library("Deflate", ["CZlib"]),
        library("SASL", ["Base64"]),
        library("Variables"),
        library("Configuration", ["Platform", "Variables"]),

        // State on disk.
        library("Index", ["CLMDB", "CPlatform", "Platform"]),
        library("MailStore", ["Index", "MessageFormat", "Platform"]),
        library("MailAccess", ["Platform", "Configuration", "Variables", "MailStore"]),
        library("PasswordStore", ["CCrypt", "Platform", "Base64"]),

        // Processes.
        process("master", ["ServiceKit", "IPCProtocol", "Platform", "Confinement", "Configuration"]),
        process("login", ["ServiceKit", "IPCProtocol", "Platform", "Confinement", "TLS", "IMAPSyntax", "Variables", "Base64"]),
        process("auth", ["ServiceKit", "IPCProtocol", "Platform", "Confinement", "SASL", "PasswordStore", "Variables", "Base64"]),
        process(
            "mail",
            [
                "ServiceKit", "IPCProtocol", "Platform", "Confinement", "MailStore", "MessageFormat", "ByteScan", "IMAPSyntax", "Deflate",
                "Variables",
            ]),
        process("anvil", ["ServiceKit", "IPCProtocol", "Platform", "Confinement"]),
        process("logd", ["ServiceKit", "IPCProtocol", "Platform", "Confinement", "Variables"]),
        process("config", ["ServiceKit", "IPCProtocol", "Platform", "Confinement", "Configuration"]),

        // Commands.
        process(
            "adm",
            [
                "IPCProtocol", "Platform", "Configuration", "Variables", "MailAccess", "MailStore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        process("lda", ["IPCProtocol", "Platform", "Variables", "MailAccess", "MailStore"]),

        // Enters each confinement and does what it forbids; the suite tests run its release build. Not installed.
        .target(name: "Acts", path: "Tests/ConfinementProbe/Acts"),
        .executableTarget(
            name: "confinement-probe", dependencies: ["Acts", "Confinement", "Platform"], path: "Tests/ConfinementProbe/Probe",
            swiftSettings: strict),

        tests("Platform", ["Platform"]),
        tests("Confinement", ["Confinement", "Platform"]),
        tests("TLS", ["TLS", "Platform"]),
        tests("IPCProtocol", ["IPCProtocol", "Platform"]),
        tests("ServiceKit", ["ServiceKit", "IPCProtocol", "Platform"]),
        tests("IMAPSyntax", ["IMAPSyntax"]),
        tests("ByteScan", ["ByteScan"]),
        tests("MessageFormat", ["MessageFormat"]),
        tests("SASL", ["SASL", "Base64"]),
        tests("Variables", ["Variables"]),
        tests("Configuration", ["Configuration", "Platform"]),
        tests("Index", ["Index", "Platform"]),
        tests("MailStore", ["MailStore", "Index", "MessageFormat", "Platform"]),
        tests("Lda", ["lda", "MailAccess", "Platform"]),
        tests("PasswordStore", ["PasswordStore", "Platform"]),
        tests("Auth", ["auth", "ServiceKit", "IPCProtocol", "Platform", "PasswordStore", "SASL", "Variables"]),
        tests("Anvil", ["anvil", "IPCProtocol"]),
        tests("Logd", ["logd", "ServiceKit", "IPCProtocol", "Platform"]),
        tests("Master", ["master", "Configuration", "ServiceKit", "IPCProtocol", "Platform"]),
        tests("Mail", ["mail", "Deflate", "IMAPSyntax", "MailStore", "MessageFormat", "Platform", "Variables"]),
        tests("Login", ["login", "ServiceKit", "IPCProtocol", "Platform", "Base64"]),
    ]
)
