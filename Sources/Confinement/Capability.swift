/// A piece of root's power (capabilities(7)); the raw value is the kernel's number.
package enum Capability: UInt8, CaseIterable, Sendable {
    case chown = 0
    case dacOverride = 1
    case dacReadSearch = 2
    case kill = 5
    case setgid = 6
    case setuid = 7
    case setpcap = 8
    case netBindService = 10
    case sysChroot = 18
}

/// Several capabilities, as the kernel's bit mask.
package struct CapabilitySet: Equatable, Sendable, ExpressibleByArrayLiteral {
    package let mask: UInt64

    package init(arrayLiteral elements: Capability...) {
        mask = elements.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
    }

    package func contains(_ number: Int32) -> Bool { mask & (1 << UInt64(number)) != 0 }
    package var isEmpty: Bool { mask == 0 }
}
