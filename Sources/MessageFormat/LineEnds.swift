internal import ByteScan

/// Turns LF into CR LF while bytes go by; CR LF stays. A bare CR stays too.
package struct LineEndConverter {
    private var lastWasCR = false

    package init() {}

    /// A NUL went by.
    package private(set) var hasSeenNUL = false

    /// Appends the bytes to `output` as they go on the wire.
    package mutating func convert(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        let converted = ByteScan.appendWithCRLF(bytes, afterReturn: lastWasCR, to: &output)
        lastWasCR = converted.endsInReturn
        if converted.hasNUL { hasSeenNUL = true }
    }
}

/// Cuts `<first.count>` out of a stream of converted bytes.
package struct PartialWindow {
    private var skip: Int64
    private var remaining: Int64

    package init(first: Int64, count: Int64) {
        skip = first
        remaining = count
    }

    /// Nothing more is wanted.
    package var isDone: Bool { remaining == 0 }

    /// Removes from `bytes`, from index `from` on, what is outside of the window.
    package mutating func trim(_ bytes: inout [UInt8], from: Int) {
        let skipped = Int(min(skip, Int64(bytes.count - from)))
        skip -= Int64(skipped)
        if skipped > 0 { bytes.removeSubrange(from..<from + skipped) }
        let excess = Int64(bytes.count - from) - remaining
        if excess > 0 { bytes.removeLast(Int(excess)) }
        remaining -= Int64(bytes.count - from)
    }
}
