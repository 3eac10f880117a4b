internal import Platform
internal import SASL

/// Entry point for fuzzing and mutation tests: both text protocols, from the first byte and after the handshake. Must never trap.
package func fuzzTextProtocols(_ input: [UInt8]) {
    let greeting = ClientProtocol.Greeting(processID: 1, connection: 1, cookie: "", mechanisms: [.plain])
    for handshake in ["", "VERSION\t1\t1\nCPID\t1\n"] {
        var buffer = LineBuffer(limit: Limits.clientLine)
        buffer.add(handshake.utf8)
        buffer.add(input)
        var client = ClientProtocol(greeting, atOnce: handshake.isEmpty)
        var userdb = UserdbProtocol(processID: 1, isMaster: true)
        while case .line(let line) = buffer.next() {
            do throws(Violation) { _ = try client.receive(line) } catch { _ = error.text }
            do throws(Violation) { _ = try userdb.receive(line) } catch { _ = error.text }
        }
    }
    let text = String(decoding: input, as: UTF8.self)
    _ = MailLocation(text)
    _ = AddressRange(text)
    _ = NameFilter(text).allows(text)
    _ = Accounts.numbers(input)
    do throws(NameProblem) { _ = try UserNameRules().name(input) { _ in nil } } catch { _ = error.text }
}
