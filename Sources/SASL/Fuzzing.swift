/// Entry point for fuzzing and mutation tests: every exchange with messages cut out of `input`. Must never trap.
package func fuzzExchange(_ input: [UInt8]) {
    for mechanism in Mechanism.allCases {
        var exchange = Exchange(mechanism)
        let messages = input.split(separator: 0x0A, omittingEmptySubsequences: false)
        _ = exchange.begin(messages.first.map { Array($0) })
        for message in messages.dropFirst().prefix(8) { _ = exchange.respond(Array(message)) }
    }
    _ = Mechanism(name: input)
}
