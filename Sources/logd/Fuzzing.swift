/// Entry point for fuzzing and mutation tests: any datagram of a log channel. Must never trap, nor let a control character through.
package func fuzzReceivedLine(_ bytes: [UInt8]) -> Bool {
    let line = ReceivedLine(service: "imap", leader: 50, sender: 100, bytes: bytes)
    return !(line.text + line.user + line.session).utf8.contains { $0 < 0x20 || $0 == 0x7F }
}
