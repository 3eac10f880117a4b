/// Entry point for fuzzing and mutation tests: reads any bytes as dovecot-uidlist and checks what must hold for what was accepted.
package func fuzzUIDList(_ bytes: [UInt8]) -> Bool {
    var reader = UIDListReader()
    do throws(UIDListDamage) { try reader.read(bytes) } catch { return true }
    var last: UInt32 = 0
    for record in reader.records {
        guard record.uid > last, record.base.upperBound <= bytes.count, !bytes[record.base].contains(ASCII.slash) else { return false }
        last = record.uid
    }
    guard let header = reader.header else { return false }
    var again: [UInt8] = []
    UIDListWriter.append(header, to: &again)
    for record in reader.records {
        UIDListWriter.append(uid: record.uid, extensions: bytes[record.extensions], base: bytes[record.base], to: &again)
    }
    var second = UIDListReader()
    do throws(UIDListDamage) { try second.read(again) } catch { return false }
    return second.damages.isEmpty && second.records.map(\.uid) == reader.records.map(\.uid)
}

/// Entry point for fuzzing and mutation tests: any bytes as a file name; changing its flags must keep its identity and give the flags back.
package func fuzzMaildirName(_ bytes: [UInt8]) -> Bool {
    let name = bytes[...]
    _ = MaildirFileName.size(0x53, in: name)
    _ = MaildirFileName.time(name)
    let info = MaildirFileName.info(name)
    let renamed = MaildirFileName.renamed(name, info)[...]
    let base = MaildirFileName.baseLength(name)
    return MaildirFileName.info(renamed) == info && MaildirFileName.baseLength(renamed) == base
        && renamed.prefix(base).elementsEqual(name.prefix(base))
}

/// Entry point for fuzzing and mutation tests: any bytes as dovecot-keywords. What was read and is written is read again the same.
package func fuzzKeywords(_ bytes: [UInt8]) -> Bool {
    let table = KeywordTable(bytes)
    return KeywordTable(table.text) == table
}

/// Entry point for fuzzing and mutation tests: any bytes as `subscriptions`. What was read and is written is read again the same.
package func fuzzSubscriptions(_ bytes: [UInt8]) -> Bool {
    let file = SubscriptionFile(bytes, separator: ASCII.dot)
    return SubscriptionFile(file.text, separator: ASCII.dot).names == file.names
}

/// Entry point for fuzzing and mutation tests: any bytes as the name of a directory. One name, one spelling.
package func fuzzModifiedUTF7(_ bytes: [UInt8]) -> Bool {
    guard let text = ModifiedUTF7.decode(bytes[...]) else { return true }
    return ModifiedUTF7.encode(text) == bytes
}

/// Entry point for fuzzing and mutation tests: any bytes as a group of names of the index. What was read and is written is read again the same,
/// and who reads only sizes and dates of it finds the same ones.
package func fuzzNameGroup(_ bytes: [UInt8]) -> Bool {
    var sizes = [Int64?](repeating: nil, count: NameGroup.capacity)
    var dates = sizes
    let isGroup = NameGroup.forEachNumbers(bytes.span, trustsNames: true) { (sizes[$0], dates[$0]) = ($1, $2) }
    guard let group = NameGroup(0, bytes) else { return !isGroup }
    guard isGroup, sizes == group.entries.map({ $0?.size(trustsName: true) }), dates == group.entries.map({ $0?.date }) else {
        return false
    }
    return NameGroup(0, group.bytes)?.entries == group.entries
}

/// Entry point for fuzzing and mutation tests: any bytes as a block of items of the index. What is one is written again the same.
package func fuzzItemBlock(_ bytes: [UInt8]) -> Bool {
    var last: UInt32 = 0
    let isBlock = ItemBlock.forEachEnd(in: bytes.span) { last = $1 }
    guard let block = ItemBlock(0, bytes) else { return !isBlock }
    return isBlock && block.bytes == bytes && ItemBlock.headSize + Int(last) == bytes.count
}
