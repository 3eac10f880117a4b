/// The base subject of a message, by which threads are told and subjects are sorted (RFC 5256 section 2.1). Linear in the field's length.
package struct BaseSubject: Equatable, Sendable {
    /// UTF-8, in the case it was written in: compare keys of `UnicodeCasemap`.
    package let text: [UInt8]
    /// Something was taken off that marks a reply or a forwarded message.
    package let isReplyOrForward: Bool

    /// `field` is the unfolded value of Subject.
    package init(_ field: some Collection<UInt8>) {
        var extractor = Extractor(Self.normalized(EncodedWords.decode(Array(field))))
        extractor.run()
        text = Array(extractor.rest)
        isReplyOrForward = extractor.isReplyOrForward
    }

    /// Step 1: runs of blanks, tabs and line ends become one space.
    private static func normalized(_ text: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        for byte in text {
            switch byte {
            case 0x20, 0x09, 0x0d, 0x0a: if output.last != 0x20 { output.append(0x20) }
            default: output.append(byte)
            }
        }
        return output
    }

    // subject       = *subj-leader [subj-middle] *subj-trailer
    // subj-refwd    = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
    // subj-blob     = "[" *BLOBCHAR "]" *WSP          BLOBCHAR: any but "[" and "]"
    // subj-fwd      = subj-fwd-hdr subject subj-fwd-trl ; subj-fwd-hdr = "[fwd:" ; subj-fwd-trl = "]"
    // subj-leader   = (*subj-blob subj-refwd) / WSP
    // subj-trailer  = "(fwd)" / WSP
    private struct Extractor {
        let bytes: [UInt8]
        var start = 0
        var end: Int
        var isReplyOrForward = false

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            end = bytes.count
        }

        var rest: ArraySlice<UInt8> { bytes[start..<end] }

        mutating func run() {
            repeat {
                removeTrailers()
                removeLeaders()
            } while removeForwardBrackets()
        }

        private func isBlank(_ index: Int) -> Bool { index < end && bytes[index].isBlank }

        private func has(_ word: String, at index: Int) -> Bool {
            index >= start && index + word.utf8.count <= end && bytes[index..<index + word.utf8.count].isName(word)
        }

        /// Step 2.
        private mutating func removeTrailers() {
            while end > start {
                if bytes[end - 1].isBlank {
                    end -= 1
                } else if has("(fwd)", at: end - 5) {
                    end -= 5
                    isReplyOrForward = true
                } else {
                    return
                }
            }
        }

        /// Steps 3 to 5. Blobs in a row are looked at once: what follows the last one decides about all.
        private mutating func removeLeaders() {
            while true {
                while isBlank(start) { start += 1 }
                var index = start
                var lastBlob = start
                while let next = afterBlob(index) {
                    lastBlob = index
                    index = next
                }
                if let next = afterReplyMark(index) {
                    isReplyOrForward = true
                    start = next
                } else {
                    // Blobs go only as long as something is left.
                    start = index < end ? index : lastBlob
                    return
                }
            }
        }

        private func afterBlob(_ index: Int) -> Int? {
            guard index < end, bytes[index] == 0x5b else { return nil }
            var next = index + 1
            while next < end, bytes[next] != 0x5b, bytes[next] != 0x5d { next += 1 }
            guard next < end, bytes[next] == 0x5d else { return nil }
            next += 1
            while isBlank(next) { next += 1 }
            return next
        }

        private func afterReplyMark(_ index: Int) -> Int? {
            var next = index
            if has("fwd", at: index) { next += 3 } else if has("re", at: index) || has("fw", at: index) { next += 2 } else { return nil }
            while isBlank(next) { next += 1 }
            if let blob = afterBlob(next) { next = blob }
            return next < end && bytes[next] == 0x3a ? next + 1 : nil
        }

        /// Step 6.
        private mutating func removeForwardBrackets() -> Bool {
            guard has("[fwd:", at: start), end - start > 5, bytes[end - 1] == 0x5d else { return false }
            start += 5
            end -= 1
            isReplyOrForward = true
            return true
        }
    }
}
