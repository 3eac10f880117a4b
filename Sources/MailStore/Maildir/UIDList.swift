/// First line of dovecot-uidlist.
struct UIDListHeader: Equatable {
    var uidValidity: UInt32
    /// Next UID when the file was last rewritten; lags behind appended records.
    var nextUID: UInt32
    /// 32 hex digits, or empty when the file has none.
    var guid: [UInt8] = []
    /// Fields we do not know, kept as they are.
    var others: [[UInt8]] = []
    /// Written by Courier or an old Dovecot: must be rewritten before anything is appended.
    var isVersion1 = false
}

/// What is wrong with a line of dovecot-uidlist, in the words administrators find with a search engine.
struct UIDListDamage: Error, Equatable {
    let line: Int
    let text: String
}

/// One record: where its parts are in the text it was read from.
struct UIDListRecord: Equatable {
    let uid: UInt32
    private let extensionsStart: UInt32
    private let extensionsEnd: UInt32
    private let baseStart: UInt32
    private let baseEnd: UInt32

    /// Extension fields with the spaces between them, without the one before ` :`; often empty.
    var extensions: Range<Int> { Int(extensionsStart)..<Int(extensionsEnd) }
    /// File name, cut before its colon.
    var base: Range<Int> { Int(baseStart)..<Int(baseEnd) }

    /// Files of more than 4 GB are not read (`StoreLimits.controlFileSize`).
    fileprivate init(uid: UInt32, extensions: Range<Int>, base: Range<Int>) {
        self.uid = uid
        (extensionsStart, extensionsEnd) = (
            UInt32(truncatingIfNeeded: extensions.lowerBound), UInt32(truncatingIfNeeded: extensions.upperBound)
        )
        (baseStart, baseEnd) = (UInt32(truncatingIfNeeded: base.lowerBound), UInt32(truncatingIfNeeded: base.upperBound))
    }
}

/// Reads dovecot-uidlist (reference/storage.md 5). Everything in the file is foreign: damage is reported, never trapped on.
///
///     header  = "3" 1*( SP field ) LF               ; V, N, G and letters to be kept
///             / "1" SP uidvalidity SP nextuid LF
///     record  = uid *( SP letter value ) SP ":" name LF      ; version 3
///             / uid SP name LF                               ; version 1
struct UIDListReader {
    private(set) var header: UIDListHeader?
    private(set) var records: [UIDListRecord] = []
    private(set) var damages: [UIDListDamage] = []
    /// Number of bytes up to and with the last complete line; what follows is a record that somebody is still writing.
    private(set) var consumed = 0
    private(set) var highestUID: UInt32 = 0
    /// Highest number at the start of a damaged line: may have been a UID, so it is not given again.
    private(set) var reservedUID: UInt32 = 0
    private var line = 0

    /// How far above the last good record a damaged line's number is believed; a wild one must not use up all UIDs.
    private static let believableGap: UInt32 = 1_000_000

    static let highestValidUID: UInt32 = .max - 1

    /// Starts at the header.
    init() {}

    /// Starts behind records that were read before: `line` lines and UIDs up to `highestUID`.
    init(continuing header: UIDListHeader, after highestUID: UInt32, line: Int = 1) {
        self.header = header
        self.highestUID = highestUID
        self.line = line
    }

    /// Reads the complete lines of `text` from `start` on. Throws when there is no usable header; damage in records is collected.
    mutating func read(_ text: [UInt8], from start: Int = 0) throws(UIDListDamage) {
        consumed = start
        while let end = text[consumed...].firstIndex(of: ASCII.lineFeed) {
            line += 1
            let content = text[consumed..<end]
            consumed = end + 1
            if let header { readRecord(content, version1: header.isVersion1) } else { header = try readHeader(content) }
        }
        if header == nil { throw UIDListDamage(line: 1, text: "Corrupted header (invalid version number)") }
    }

    private func readHeader(_ content: ArraySlice<UInt8>) throws(UIDListDamage) -> UIDListHeader {
        let fields = content.split(separator: ASCII.space, omittingEmptySubsequences: true)
        guard let version = fields.first, let number = Decimal.uint32(version) else {
            throw UIDListDamage(line: line, text: "Corrupted header (invalid version number)")
        }
        var header = UIDListHeader(uidValidity: 0, nextUID: 0)
        switch number {
        case 1:
            header.isVersion1 = true
            if fields.count >= 3 {
                header.uidValidity = Decimal.uint32(fields[1]) ?? 0
                header.nextUID = Decimal.uint32(fields[2]) ?? 0
            }
        case 3:
            for field in fields.dropFirst() {
                let value = field.dropFirst()
                switch field.first {
                case 0x56: header.uidValidity = Decimal.uint32(value) ?? 0
                case 0x4e: header.nextUID = Decimal.uint32(value) ?? 0
                case 0x47 where value.count == 32: header.guid = Array(value)
                default: header.others.append(Array(field))
                }
            }
        default: throw UIDListDamage(line: line, text: "Unsupported version \(number)")
        }
        guard header.uidValidity != 0, header.nextUID != 0 else {
            let text = "Broken header (uidvalidity = \(header.uidValidity), next_uid=\(header.nextUID))"
            throw UIDListDamage(line: line, text: text)
        }
        return header
    }

    private mutating func readRecord(_ content: ArraySlice<UInt8>, version1: Bool) {
        let digits = content.prefix { ASCII.isDigit($0) }
        guard let uid = Decimal.uint32(digits), uid != 0, content[digits.endIndex...].first == ASCII.space else {
            return damage("Invalid data: \(String(decoding: content.prefix(100), as: UTF8.self))")
        }
        guard uid <= Self.highestValidUID else { return damage("UID too high (\(uid))") }
        guard uid > highestUID else { return damage("UIDs not ordered (\(highestUID) >= \(uid))") }
        if uid - highestUID < Self.believableGap { reservedUID = max(reservedUID, uid) }
        var index = digits.endIndex + 1
        let extensionsStart = index
        var extensionsEnd = index
        var areExtensionsValid = true
        if !version1 {
            while index < content.endIndex, content[index] != ASCII.colon {
                let end = content[index...].firstIndex(of: ASCII.space) ?? content.endIndex
                let letter = content[index]
                guard end < content.endIndex else { return damage("Invalid extended fields: \(uid)") }
                if letter < 0x41 || letter > 0x5a { areExtensionsValid = false }
                extensionsEnd = end
                index = end + 1
            }
            if !areExtensionsValid {
                damage("Invalid extended fields: \(uid)")
                extensionsEnd = extensionsStart
            }
            index += 1
        }
        guard index < content.endIndex else { return damage("Broken filename at line \(line): ") }
        let name = content[index...]
        guard !name.contains(ASCII.slash), name.first != ASCII.colon, name.count <= 1_024 else {
            return damage("Broken filename at line \(line): \(String(decoding: name.prefix(100), as: UTF8.self))")
        }
        let base = name.startIndex..<name.startIndex + MaildirFileName.baseLength(name)
        highestUID = uid
        records.append(UIDListRecord(uid: uid, extensions: extensionsStart..<extensionsEnd, base: base))
    }

    private mutating func damage(_ text: String) {
        guard damages.count < 20 else { return }
        damages.append(UIDListDamage(line: line, text: text))
    }
}

/// Writes lines of dovecot-uidlist.
enum UIDListWriter {
    static func append(_ header: UIDListHeader, to output: inout [UInt8]) {
        output.append(contentsOf: Array("3 V\(header.uidValidity) N\(header.nextUID)".utf8))
        if !header.guid.isEmpty {
            output.append(contentsOf: [ASCII.space, 0x47])
            output.append(contentsOf: header.guid)
        }
        for field in header.others {
            output.append(ASCII.space)
            output.append(contentsOf: field)
        }
        output.append(ASCII.lineFeed)
    }

    static func append(uid: UInt32, extensions: ArraySlice<UInt8>, base: ArraySlice<UInt8>, to output: inout [UInt8]) {
        Decimal.append(uid, to: &output)
        output.append(ASCII.space)
        if !extensions.isEmpty {
            output.append(contentsOf: extensions)
            output.append(ASCII.space)
        }
        output.append(ASCII.colon)
        output.append(contentsOf: base)
        output.append(ASCII.lineFeed)
    }
}
