internal import CPlatform
internal import Glibc

/// One name in a directory, as getdents64(2) gives it.
package struct DirectoryEntry {
    package enum Kind: Sendable { case regular, directory, symbolicLink, other, unknown }

    /// Valid during the call that hands it over; keep a copy, not the slice.
    package let name: ArraySlice<UInt8>
    /// `.unknown` where the file system does not tell.
    package let kind: Kind
    package let inode: UInt64
}

extension Directory {
    /// Calls `body` for every entry except `.` and `..`, in the order of the file system. No allocation per entry.
    package borrowing func forEachEntry(_ body: (DirectoryEntry) -> Void) throws(SystemError) {
        let number = descriptor.number
        try checked("lseek", cp_rewind(number))
        while true {
            var got = 0
            // Not filled beforehand: of a small directory only a page is touched.
            let buffer = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { room, filled in
                got = unsafe cp_getdents(number, room.baseAddress, room.count)
                filled = max(got, 0)
            }
            guard got > 0 else {
                if got < 0 { throw SystemError(call: "getdents64", code: Int32(-got)) }
                return
            }
            Self.split(buffer, upTo: got, body)
        }
    }

    /// struct linux_dirent64: inode (8), offset (8), length of the record (2), kind (1), name with NUL.
    private static func split(_ buffer: [UInt8], upTo end: Int, _ body: (DirectoryEntry) -> Void) {
        let nameOffset = 19
        var start = 0
        while end - start > nameOffset {
            let length = Int(buffer[start + 16]) | Int(buffer[start + 17]) << 8
            guard length > nameOffset, length <= end - start else { return }
            var nameEnd = start + nameOffset
            while nameEnd < start + length, buffer[nameEnd] != 0 { nameEnd += 1 }
            let name = buffer[start + nameOffset..<nameEnd]
            if !isSelfOrParent(name) {
                var inode: UInt64 = 0
                for index in 0..<8 { inode |= UInt64(buffer[start + index]) << UInt64(8 * index) }
                body(DirectoryEntry(name: name, kind: kind(buffer[start + 18]), inode: inode))
            }
            start += length
        }
    }

    private static func isSelfOrParent(_ name: ArraySlice<UInt8>) -> Bool {
        name.count <= 2 && name.allSatisfy { $0 == 0x2e }
    }

    private static func kind(_ type: UInt8) -> DirectoryEntry.Kind {
        switch Int(type) {
        case Int(DT_REG): .regular
        case Int(DT_DIR): .directory
        case Int(DT_LNK): .symbolicLink
        case Int(DT_UNKNOWN): .unknown
        default: .other
        }
    }
}
