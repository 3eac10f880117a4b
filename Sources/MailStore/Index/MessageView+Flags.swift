internal import Index

// Questions about flags, answered 64 messages at a time.
extension MessageView {
    /// Those of `candidates` for which the answer is yes, by the flags of now. Blocks of the index are read only where a candidate is and the
    /// counters of the segment do not say it.
    func positions(_ test: FlagTest, among candidates: PositionSet) -> PositionSet {
        for _ in 0..<2 {
            let read = index.index.read { (transaction) throws(IndexError) -> PositionSet? in
                guard try index.header(transaction) != nil else { return nil }
                var found = PositionSet(of: candidates.size)
                for place in uids.segments.indices { try look(at: place, test, candidates, &found, transaction) }
                return found
            }
            if var found = read ?? nil {
                found.formIntersection(candidates)
                return found
            }
            recover()
        }
        return PositionSet(of: candidates.size)
    }

    /// Adds what is found in one segment; messages that are no candidates may be among it.
    private func look(
        at place: Int, _ test: FlagTest, _ candidates: PositionSet, _ found: inout PositionSet, _ transaction: IndexTransaction
    ) throws(IndexError) {
        let number = uids.segments[place]
        let firstBlock = MessageSegment.blocks(of: number).lowerBound
        var position = uids.start(ofPlace: place)
        let start = position
        // Of each block where its messages begin; and whether there is a candidate.
        var positions = InlineArray<16, Int>(repeating: 0)
        var wanted: UInt16 = 0
        for block in 0..<MessageSegment.wordCount {
            let present = uids.word(block, atPlace: place)
            positions[block] = position
            let count = present.nonzeroBitCount
            position += count
            if count > 0, candidates.word(at: positions[block]) & (.max >> UInt64(64 - count)) != 0 { wanted |= 1 << UInt16(block) }
        }
        guard wanted != 0 else { return }
        let counters = try counters(ofPlace: place, transaction)
        if let answer = test.answer(counters, count: position - start, hasRecent: !recent.isEmpty) {
            if answer { found.insert(start..<position) }
            return
        }
        func add(_ block: Int, _ bytes: Span<UInt8>) {
            let present = uids.word(block, atPlace: place)
            let recent = recent.isEmpty ? 0 : recent.word(from: (firstBlock + UInt32(block)) * UInt32(MessageBlock.capacity))
            found.insert(test.word(bytes, recent: recent).compressed(present), at: positions[block])
        }
        let last = 15 - wanted.leadingZeroBitCount
        try transaction.forEachSpan(prefix: index.blocksPrefix, from: index.blockKey(firstBlock + UInt32(wanted.trailingZeroBitCount))) {
            (key, value) throws(IndexError) in
            guard key.count == index.blocksPrefix.count + 4, value.count == MessageBlock.size else {
                throw .damaged("a block of messages makes no sense")
            }
            var number: UInt32 = 0
            for index in key.count - 4..<key.count { number = number << 8 | UInt32(key[index]) }
            guard number >= firstBlock, number - firstBlock <= UInt32(last) else { return false }
            let block = Int(number - firstBlock)
            if wanted & (1 << UInt16(block)) != 0 { add(block, value) }
            wanted &= ~(1 << UInt16(block))
            return block < last
        }
        // Of these nothing is known.
        let empty = wanted == 0 ? [] : [UInt8](repeating: 0, count: MessageBlock.size)
        for block in 0..<MessageSegment.wordCount where wanted & (1 << UInt16(block)) != 0 { add(block, empty.span) }
    }

    /// The counters of a segment that holds exactly the messages that this session shows of it.
    private func counters(ofPlace place: Int, _ transaction: IndexTransaction) throws(IndexError) -> MessageSegment.Counters? {
        guard let bytes = try transaction.value(index.segmentKey(uids.segments[place])) else { return nil }
        guard MessageSegment.isValid(bytes.span) else { throw .damaged("a segment makes no sense") }
        for word in 0..<MessageSegment.wordCount {
            if MessageSegment.word(word, bytes.span) != uids.word(word, atPlace: place) { return nil }
        }
        return MessageSegment.counters(bytes.span)
    }
}

extension UInt64 {
    /// The bits that are set in `mask`, side by side from the lowest one on.
    func compressed(_ mask: UInt64) -> UInt64 {
        // Nearly always no message is missing, or those at the end.
        if mask & (mask &+ 1) == 0 { return self & mask }
        var (rest, result) = (self & mask, UInt64(0))
        while rest != 0 {
            let bit = rest & (0 &- rest)
            result |= 1 << UInt64((mask & (bit - 1)).nonzeroBitCount)
            rest ^= bit
        }
        return result
    }
}
