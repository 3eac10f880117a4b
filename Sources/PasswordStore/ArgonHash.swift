/// The text form of an ARGON2 hash, taken apart.
struct ArgonHash: Equatable {
    var version: UInt32 = 0x10
    var memory: UInt32 = 0
    var passes: UInt32 = 0
    var lanes: UInt32 = 0
    var salt: [UInt8] = []
    var digest: [UInt8] = []
    /// `argon2i` or `argon2id`, checked against the scheme.
    let kind: String

    // hash = "$" kind ["$v=" num] "$m=" num ",t=" num ",p=" num "$" salt "$" digest       (PHC string format)
    init(_ text: [UInt8], named kind: String) throws(PasswordError) {
        self.kind = kind
        var parts = text.split(separator: UInt8(ascii: "$"), maxSplits: 7, omittingEmptySubsequences: false)[...]
        guard parts.popFirst()?.isEmpty == true, parts.popFirst()?.elementsEqual(kind.utf8) == true else {
            throw .malformed("it does not begin with $\(kind)$")
        }
        if let word = parts.first, word.starts(with: "v=".utf8) {
            guard let number = Self.number(word.dropFirst(2)) else { throw .malformed("version") }
            version = number
            parts = parts.dropFirst()
        }
        guard parts.count == 3, let costs = parts.popFirst(), let saltText = parts.popFirst(), let digestText = parts.popFirst() else {
            throw .malformed("parts of the hash are missing")
        }
        try readCosts(costs)
        guard let salt = TextForm.base64(saltText), let digest = TextForm.base64(digestText), salt.count >= 8, digest.count >= 4,
            digest.count <= 1_024
        else { throw .malformed("salt or digest") }
        self.salt = salt
        self.digest = digest
    }

    private mutating func readCosts(_ text: ArraySlice<UInt8>) throws(PasswordError) {
        let words = text.split(separator: UInt8(ascii: ","), maxSplits: 3, omittingEmptySubsequences: false)
        guard words.count == 3 else { throw .malformed("costs") }
        var values: [UInt32] = []
        for (word, name) in zip(words, ["m=", "t=", "p="]) {
            guard word.starts(with: name.utf8), let value = Self.number(word.dropFirst(2)) else { throw .malformed("costs") }
            values.append(value)
        }
        (memory, passes, lanes) = (values[0], values[1], values[2])
        guard memory <= Limits.argonMemory, passes <= Limits.argonPasses, lanes <= Limits.argonLanes, passes > 0, lanes > 0 else {
            throw .malformed("costs out of range")
        }
    }

    private static func number(_ text: ArraySlice<UInt8>) -> UInt32? {
        guard !text.isEmpty, text.count <= 10, text.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return UInt32(String(decoding: text, as: UTF8.self))
    }
}
