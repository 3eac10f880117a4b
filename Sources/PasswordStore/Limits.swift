/// What password data may take.
enum Limits {
    /// A password file: a million users of 64 bytes; it is kept in memory.
    static let file = 64 << 20
    /// One line of it.
    static let line = 16_384
    /// Files that are kept when the path holds variables, one per domain.
    static let files = 256
    /// Rounds over the memory of ARGON2, lanes and KiB: what one login may cost, as the administrator chose it when hashing.
    static let argonPasses: UInt32 = 1_000
    static let argonLanes: UInt32 = 64
    static let argonMemory: UInt32 = 4 << 20
}
