/// Entry point for fuzzing and mutation tests: the bytes as they would come from a proxy, read as the worker reads them. Must never trap.
///
/// False: the reader asked for nothing, or for more than a header may have.
func fuzzProxyHeader(_ input: [UInt8]) -> Bool {
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
