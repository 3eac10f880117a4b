// swift-tools-version: 6.2
// Coverage-guided fuzzing of everything that reads foreign bytes. A package of its own, so that every library is instrumented and the main
// package stays as it is; `Sources` is a link to the main package's. Run it with `make fuzz`.
import PackageDescription

/// A library of the main package; of an executable, everything but its main function.
func library(_ name: String, _ dependencies: [Target.Dependency] = [], except main: String? = nil) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Sources/\(name)", exclude: main.map { [$0] } ?? [],
        swiftSettings: [
            .swiftLanguageMode(.v6), .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("MemberImportVisibility"),
        ])
}

let package = Package(
    name: "culver-fuzz",
    targets: [
        .target(name: "CPlatform", path: "Sources/CPlatform"),
        .target(name: "CUnicode", path: "Sources/CUnicode"),
        .systemLibrary(name: "CSeccomp", path: "Sources/CSeccomp", pkgConfig: "libseccomp"),
        .systemLibrary(name: "COpenSSL", path: "Sources/COpenSSL", pkgConfig: "openssl"),
        .systemLibrary(name: "CCrypt", path: "Sources/CCrypt"),
        .systemLibrary(name: "CLMDB", path: "Sources/CLMDB", pkgConfig: "lmdb"),
        library("Platform", ["CPlatform"]),
        library("Confinement", ["CPlatform", "CSeccomp", "Platform"]),
        library("TLS", ["COpenSSL", "Platform"]),
        library("IPCProtocol", ["Platform"]),
        library("ServiceKit", ["IPCProtocol", "Platform", "Confinement"]),
        library("IMAPSyntax"),
        library("Iconv", ["CUnicode"]),
        library("ByteScan"),
        library("MessageFormat", ["ByteScan", "CUnicode", "Iconv"]),
        library("Base64"),
        library("SASL", ["Base64"]),
        library("Variables"),
        library("Configuration", ["Platform", "Variables"]),
        library("Index", ["CLMDB", "CPlatform", "Platform"]),
        library("MailStore", ["Index", "MessageFormat", "Platform"]),
        library("PasswordStore", ["CCrypt", "Platform", "Base64"]),
        library(
            "login", ["ServiceKit", "IPCProtocol", "Platform", "Confinement", "TLS", "IMAPSyntax", "Variables", "Base64"],
            except: "Login.swift"),
        library(
            "auth", ["ServiceKit", "IPCProtocol", "Platform", "Confinement", "SASL", "PasswordStore", "Variables", "Base64"],
            except: "Auth.swift"),
        library("logd", ["ServiceKit", "IPCProtocol", "Platform", "Confinement", "Variables"], except: "Logd.swift"),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "IPCProtocol", "IMAPSyntax", "MessageFormat", "SASL", "Variables", "Configuration", "MailStore", "PasswordStore", "login",
                "auth",
                "logd",
            ],
            path: "Targets"),
    ]
)
