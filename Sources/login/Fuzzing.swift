/// Entry point for fuzzing and mutation tests: the bytes as they would come from a proxy, read as the worker reads them. Must never trap.
///
/// False: the reader asked for nothing, or for more than a header may have.
package func fuzzProxyHeader(_ input: [UInt8]) -> Bool {
    var taken: [UInt8] = []
    while true {
        do throws(ProxyHeaderError) {
            guard case .needs(let count) = try ProxyHeader.read(taken) else { break }
            guard count > 0, taken.count + count <= 16 + ProxyHeader.Limits.payload else { return false }
            guard taken.count + count <= input.count else { break }
            taken += input[taken.count..<taken.count + count]
        } catch { break }
    }
    do throws(ProxyHeaderError) { _ = try ProxyHeader.read(input) } catch { _ = error.description }
    return true
}

/// Entry point for fuzzing and mutation tests: a client and an auth process, both saying anything.
///
///     input = offer *( piece event NUL )      ; offer and event: one byte each
///
/// Must never trap, go on forever, or say anything after its end.
package func fuzzDialogue(_ input: [UInt8]) -> Bool {
    var offer = IMAPDialogue.Offer()
    let bits = input.first ?? 0
    offer.canStartTLS = bits & 1 != 0
    offer.allowsCleartext = bits & 2 != 0
    offer.requiresTLS = bits & 4 != 0
    offer.mechanisms = ["PLAIN", "LOGIN"]
    var dialogue = IMAPDialogue(offer: offer)
    var isClosed = false
    dialogue.greet()
    for piece in input.dropFirst().split(separator: 0, omittingEmptySubsequences: false).prefix(64) {
        let event = piece.last ?? 0
        dialogue.feed(Array(piece.dropLast()))
        var wantsTLS = false
        // Each action is one command's at the least.
        for turn in 0... {
            guard turn <= 8 * input.count + 16 else { return false }
            let action = dialogue.next()
            if action == .wait { break }
            if isClosed { return false }
            if case .close = action { isClosed = true }
            wantsTLS = action == .startTLS
        }
        switch event % 8 {
        case 1: dialogue.challenged(Array(piece.prefix(4)))
        case 2: dialogue.failed(code: "", reason: "")
        case 3: dialogue.succeeded()
        case 4: dialogue.refused(code: "UNAVAILABLE", why: "x")
        case 5: if wantsTLS { dialogue.secured() }
        case 6: dialogue.failed(code: "temp_fail", reason: "")
        default: break
        }
        _ = (dialogue.unread, dialogue.wantsInput)
    }
    return true
}
