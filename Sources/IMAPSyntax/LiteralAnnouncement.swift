// literal  = "{" number64 ["+"] "}" CRLF *CHAR8        RFC 9051 section 9, RFC 7888
// literal8 = "~{" number64 ["+"] "}" CRLF *OCTET
/// The `{n}` or `{n+}` at the end of a line.
package struct LiteralAnnouncement: Equatable {
    package var size: Int64
    package var isNonSynchronising: Bool
    /// Bytes of the announcement itself, with a `~` in front.
    package var length: Int

    /// Nil when the line does not end in one. A number that does not fit 63 bits counts as the largest one, and so is over every limit.
    package init?(endOf line: ArraySlice<UInt8>) {
        var index = line.endIndex - 1
        guard index > line.startIndex, line[index] == 0x7d else { return nil }
        index -= 1
        isNonSynchronising = line[index] == 0x2b
        if isNonSynchronising { index -= 1 }
        let lastDigit = index
        while index > line.startIndex, line[index].isDigit { index -= 1 }
        guard index >= line.startIndex, index < lastDigit, line[index] == 0x7b else { return nil }
        size = 0
        for byte in line[(index + 1)...lastDigit] {
            let (product, over1) = size.multipliedReportingOverflow(by: 10)
            let (sum, over2) = product.addingReportingOverflow(Int64(byte - 0x30))
            size = over1 || over2 ? Int64.max : sum
            if size == Int64.max { break }
        }
        if index > line.startIndex, line[index - 1] == 0x7e { index -= 1 }
        length = line.endIndex - index
    }
}
