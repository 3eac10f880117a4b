/// Bounds of what auth takes from its peers.
enum Limits {
    /// A line of the client protocol (auth.md 3): holds one SASL message in base64.
    static let clientLine = 16_384
    /// A line of the user database protocol (auth.md 4; 1,024 in 2.3, more in 2.4).
    static let userdbLine = 8_192
    /// Parameters of one line.
    static let parameters = 64
    /// Exchanges that one channel may have open at a time (security.md 5.8).
    static let requests = 1_024
    /// Bytes that may wait for a client that does not read; then it is not read any more (auth.md 5).
    static let output = 50 * 1024
    /// Tickets that one login process may have waiting; each is used within milliseconds.
    static let tickets = 1_024
    /// How long a ticket is good for.
    static let ticketLife: Int64 = 60_000
    /// An exchange that the client does not go on with is given up: 150 s, 30 s before login itself gives up (auth.md 5).
    static let exchangeLife: Int64 = 150_000
    /// How long anvil may take to say an address's penalty; then the request goes on without.
    static let penaltyAnswer: Int64 = 1_000
    /// Longest user name that goes into a frame or a log line.
    static let userName = 255
    /// Text for the client, in bytes; the limit of `AuthFailure.reason`.
    static let reason = 512
    /// Fields that databases may set for one user.
    static let fields = 128
}
