internal import Platform

/// Hands out UIDVALIDITY values, never one twice in a store: dovecot-uidvalidity and dovecot-uidvalidity.HEX
/// (reference/storage.md 7). The rename of the second is the claim: only one process can win it.
enum UIDValidity {
    private static let file = Array("dovecot-uidvalidity".utf8)

    static func next(in folder: Folder, fileMode: UInt32) throws(StoreError) -> UInt32 {
        for _ in 0..<StoreLimits.renameRaces {
            var last = try highest(in: folder)
            if last == 0 {
                last = UInt32(truncatingIfNeeded: max(Clock.unixSeconds, 1))
                do throws(SystemError) { _ = try folder.directory.file(name(of: last), .create(mode: 0o444)) } catch {
                    guard error.isExists else { throw folder.failure(error, name(of: last)[...]) }
                    continue
                }
                try store(last, in: folder, fileMode: fileMode)
                return last
            }
            let next = last == .max ? 1 : last + 1
            do throws(SystemError) {
                if try folder.directory.statusIfPresent(of: name(of: last)[...]) == nil {
                    _ = try folder.directory.file(name(of: next), .create(mode: 0o444))
                } else {
                    try folder.directory.rename(name(of: last)[...], to: folder.directory, as: name(of: next)[...], replacing: false)
                }
            } catch {
                if error.isNotFound || error.isExists { continue }
                throw folder.failure(error, name(of: last)[...])
            }
            try store(next, in: folder, fileMode: fileMode)
            return next
        }
        throw .lockTimeout(path: folder.path + "/dovecot-uidvalidity")
    }

    private static func store(_ value: UInt32, in folder: Folder, fileMode: UInt32) throws(StoreError) {
        let temporary = file + Array(".\(Process.id).tmp".utf8)
        _ = try folder.replace(file, with: hexadecimal(value), temporary: temporary, mode: fileMode, durable: false)
    }

    /// The largest value that the file or the name of its companion tells; 0: neither is there. Removes companions that were left behind.
    private static func highest(in folder: Folder) throws(StoreError) -> UInt32 {
        var values: [UInt32] = []
        do throws(SystemError) {
            try folder.directory.forEachEntry { entry in
                guard entry.name.count == file.count + 9, entry.name.starts(with: file),
                    entry.name[entry.name.startIndex + file.count] == ASCII.dot
                else { return }
                if let value = parse(entry.name.suffix(8)) { values.append(value) }
            }
        } catch { throw folder.failure(error) }
        let highest = values.max() ?? 0
        for value in values where value != highest { try folder.remove(name(of: value)[...]) }
        let written = try folder.content(of: file, limit: StoreLimits.smallFileSize).flatMap { parse($0.bytes.prefix(8)) } ?? 0
        return max(highest, written)
    }

    private static func name(of value: UInt32) -> [UInt8] { file + [ASCII.dot] + hexadecimal(value) }

    private static func hexadecimal(_ value: UInt32) -> [UInt8] {
        let digits = Array(String(value, radix: 16).utf8)
        return [UInt8](repeating: 0x30, count: 8 - digits.count) + digits
    }

    private static func parse(_ digits: ArraySlice<UInt8>) -> UInt32? {
        guard digits.count == 8, digits.allSatisfy({ ASCII.isDigit($0) || (0x61...0x66).contains(ASCII.lower($0)) }) else { return nil }
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
