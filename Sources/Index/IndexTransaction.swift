internal import CLMDB

/// What is read or changed together. Valid only inside the closure that it was given to.
///
/// Keys are byte strings of 1 to `maximumKeyLength` bytes, ordered bytewise; no pointer into the map leaves this target: values are copied, or seen as spans.
/// On disk each value has a sum of key and value behind it: foreign bytes are damage, not content.
@safe package final class IndexTransaction {
    @safe enum Backing {
        case file(OpaquePointer)
        case memory(MemoryTree)
    }

    let backing: Backing
    /// Whether anything was written.
    private(set) var isChanged = false

    package static let maximumKeyLength = 511

    init(_ backing: Backing) { self.backing = backing }

    /// The value of a key; nil: there is none.
    package func value(_ key: [UInt8]) throws(IndexError) -> [UInt8]? {
        switch backing {
        case .memory(let tree): return tree.values[key]
        case .file(let transaction):
            var value = unsafe MDB_val()
            let code = unsafe Self.withValue(key) { unsafe mdb_get(transaction, mainTable, $0, &value) }
            if code == MDB_NOTFOUND { return nil }
            try LMDB.check("mdb_get", code)
            return unsafe Array(try Self.checked(key, value))
        }
    }

    /// The value of a key, in the place of what `buffer` held; false: there is none.
    package func read(_ key: [UInt8], into buffer: inout [UInt8]) throws(IndexError) -> Bool {
        buffer.removeAll(keepingCapacity: true)
        switch backing {
        case .memory(let tree):
            guard let value = tree.values[key] else { return false }
            buffer.append(contentsOf: value)
        case .file(let transaction):
            var value = unsafe MDB_val()
            let code = unsafe Self.withValue(key) { unsafe mdb_get(transaction, mainTable, $0, &value) }
            if code == MDB_NOTFOUND { return false }
            try LMDB.check("mdb_get", code)
            unsafe buffer.append(contentsOf: try Self.checked(key, value))
        }
        return true
    }

    /// Shows the value of a key in its place; nil: there is none. `body` must not write.
    package func withValue<R>(_ key: [UInt8], _ body: (Span<UInt8>) throws(IndexError) -> R) throws(IndexError) -> R? {
        switch backing {
        case .memory(let tree):
            guard let value = tree.values[key] else { return nil }
            return try body(value.span)
        case .file(let transaction):
            var value = unsafe MDB_val()
            let code = unsafe Self.withValue(key) { unsafe mdb_get(transaction, mainTable, $0, &value) }
            if code == MDB_NOTFOUND { return nil }
            try LMDB.check("mdb_get", code)
            let content = unsafe try Self.checked(key, value)
            return unsafe try body(content.span)
        }
    }

    /// Sets a key to a value, whatever it had before.
    package func put(_ key: [UInt8], _ value: [UInt8]) throws(IndexError) {
        isChanged = true
        switch backing {
        case .memory(let tree): tree.put(key, value)
        case .file(let transaction):
            // LMDB says where it wants it.
            var place = unsafe MDB_val(mv_size: value.count + Self.sumSize, mv_data: nil)
            let code = unsafe Self.withValue(key) { unsafe mdb_put(transaction, mainTable, $0, &place, UInt32(MDB_RESERVE)) }
            try LMDB.check("mdb_put", code)
            let target = unsafe UnsafeMutableRawBufferPointer(start: place.mv_data, count: value.count + Self.sumSize)
            unsafe target.copyBytes(from: value)
            let sum = unsafe key.withUnsafeBufferPointer { key in unsafe value.withUnsafeBufferPointer { unsafe Self.sum(key, $0) } }
            unsafe target.storeBytes(of: sum.littleEndian, toByteOffset: value.count, as: UInt64.self)
        }
    }

    /// Not being there is no error.
    package func remove(_ key: [UInt8]) throws(IndexError) {
        isChanged = true
        switch backing {
        case .memory(let tree): tree.remove(key)
        case .file(let transaction):
            let code = unsafe Self.withValue(key) { unsafe mdb_del(transaction, mainTable, $0, nil) }
            if code != MDB_NOTFOUND { try LMDB.check("mdb_del", code) }
        }
    }

    /// Calls `body` for keys that begin with `prefix`, from `start` on (which begins with it, too), ascending, until it answers false.
    /// `body` must not write.
    package func forEach(
        prefix: [UInt8], from start: [UInt8]? = nil, _ body: ([UInt8], [UInt8]) throws(IndexError) -> Bool
    ) throws(IndexError) {
        try forEachSpan(prefix: prefix, from: start) { (key, value) throws(IndexError) in
            try body(Array(copying: key), Array(copying: value))
        }
    }

    /// The same without copying keys and values: `body` sees them where they are.
    package func forEachSpan(
        prefix: [UInt8], from start: [UInt8]? = nil, _ body: (Span<UInt8>, Span<UInt8>) throws(IndexError) -> Bool
    ) throws(IndexError) {
        switch backing {
        case .memory(let tree):
            for key in tree.keys(from: start ?? prefix) {
                guard key.starts(with: prefix), let value = tree.values[key], try body(key.span, value.span) else { return }
            }
        case .file(let transaction):
            var opened: OpaquePointer?
            try LMDB.check("mdb_cursor_open", unsafe mdb_cursor_open(transaction, mainTable, &opened))
            guard let cursor = unsafe opened else { throw .unusable("mdb_cursor_open gave nothing") }
            defer { unsafe mdb_cursor_close(cursor) }
            var value = unsafe MDB_val()
            var found = unsafe MDB_val()
            var code = unsafe Self.withValue(start ?? prefix) { wanted in
                unsafe found = wanted.pointee
                return unsafe mdb_cursor_get(cursor, &found, &value, MDB_SET_RANGE)
            }
            while code != MDB_NOTFOUND {
                try LMDB.check("mdb_cursor_get", code)
                let key = unsafe Self.bytes(found)
                guard unsafe Self.has(prefix, key) else { return }
                let content = unsafe try Self.checked(key, value)
                guard unsafe try body(key.span, content.span) else { return }
                code = unsafe mdb_cursor_get(cursor, &found, &value, MDB_NEXT)
            }
        }
    }

    /// All keys that begin with `prefix`, ascending, `limit` at most.
    package func keys(prefix: [UInt8], limit: Int = .max) throws(IndexError) -> [[UInt8]] {
        var keys: [[UInt8]] = []
        switch backing {
        case .memory(let tree):
            keys = Array(tree.keys(from: prefix).prefix { $0.starts(with: prefix) }.prefix(limit))
        case .file(let transaction):
            var opened: OpaquePointer?
            try LMDB.check("mdb_cursor_open", unsafe mdb_cursor_open(transaction, mainTable, &opened))
            guard let cursor = unsafe opened else { throw .unusable("mdb_cursor_open gave nothing") }
            defer { unsafe mdb_cursor_close(cursor) }
            var found = unsafe MDB_val()
            var code = unsafe Self.withValue(prefix) { wanted in
                unsafe found = wanted.pointee
                return unsafe mdb_cursor_get(cursor, &found, nil, MDB_SET_RANGE)
            }
            while code != MDB_NOTFOUND, keys.count < limit {
                try LMDB.check("mdb_cursor_get", code)
                let key = unsafe Self.copy(found)
                guard key.starts(with: prefix) else { break }
                keys.append(key)
                code = unsafe mdb_cursor_get(cursor, &found, nil, MDB_NEXT)
            }
        }
        return keys
    }

    /// Removes every key that begins with `prefix`.
    package func removeAll(prefix: [UInt8]) throws(IndexError) {
        while true {
            let keys = try keys(prefix: prefix, limit: 1_000)
            for key in keys { try remove(key) }
            if keys.count < 1_000 { return }
        }
    }

    /// The handle of LMDB's unnamed table, which is always open.
    private var mainTable: MDB_dbi { 1 }

    private static func withValue<R>(_ bytes: [UInt8], _ body: (UnsafeMutablePointer<MDB_val>) -> R) -> R {
        unsafe bytes.withUnsafeBytes { buffer in
            // LMDB takes a pointer to what may be changed, and does not change it.
            var value = unsafe MDB_val(mv_size: buffer.count, mv_data: UnsafeMutableRawPointer(mutating: buffer.baseAddress))
            return unsafe body(&value)
        }
    }

    private static func has(_ prefix: [UInt8], _ key: UnsafeBufferPointer<UInt8>) -> Bool {
        guard key.count >= prefix.count else { return false }
        for index in prefix.indices where unsafe prefix[index] != key[index] { return false }
        return true
    }

    private static let sumSize = 8

    private static func checked(_ key: [UInt8], _ stored: MDB_val) throws(IndexError) -> UnsafeBufferPointer<UInt8> {
        var result: Result<UnsafeBufferPointer<UInt8>, IndexError> = unsafe .failure(.damaged("a value is too short"))
        unsafe key.withUnsafeBufferPointer { (key) in
            unsafe result = Result { () throws(IndexError) in unsafe try checked(key, stored) }
        }
        return unsafe try result.get()
    }

    /// The value without its sum, which must be right.
    private static func checked(_ key: UnsafeBufferPointer<UInt8>, _ stored: MDB_val) throws(IndexError) -> UnsafeBufferPointer<UInt8> {
        let all = unsafe bytes(stored)
        guard all.count >= sumSize else { throw .damaged("a value is too short") }
        let value = unsafe UnsafeBufferPointer(rebasing: all[..<(all.count - sumSize)])
        let found = unsafe UnsafeRawBufferPointer(all).loadUnaligned(fromByteOffset: value.count, as: UInt64.self)
        guard unsafe UInt64(littleEndian: found) == sum(key, value) else { throw .damaged("a value has a wrong sum") }
        return unsafe value
    }

    /// FNV-1a over words of eight bytes, four of them side by side: finds accidents, is no seal.
    private static func sum(_ key: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var sum: UInt64 = 14_695_981_039_346_656_037
        func add(_ bytes: UnsafeBufferPointer<UInt8>) {
            let buffer = UnsafeRawBufferPointer(bytes)
            var offset = 0
            if buffer.count >= 32 {
                // Four variables, not a vector: the processor multiplies them side by side, and has no such multiplication of vectors.
                var (first, second, third, fourth) = (sum, sum &+ 1, sum &+ 2, sum &+ 3)
                while offset + 32 <= buffer.count {
                    unsafe mix(&first, buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                    unsafe mix(&second, buffer.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
                    unsafe mix(&third, buffer.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self))
                    unsafe mix(&fourth, buffer.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self))
                    offset += 32
                }
                mix(&sum, first)
                mix(&sum, second)
                mix(&sum, third)
                mix(&sum, fourth)
            }
            while offset + 8 <= buffer.count {
                unsafe mix(&sum, buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                offset += 8
            }
            while offset < buffer.count {
                sum = unsafe (sum ^ UInt64(buffer[offset])) &* 1_099_511_628_211
                offset += 1
            }
            sum = (sum ^ UInt64(buffer.count)) &* 1_099_511_628_211
        }
        unsafe add(key)
        unsafe add(value)
        return sum
    }

    @inline(__always)
    private static func mix(_ sum: inout UInt64, _ word: UInt64) {
        let mixed = (sum ^ word) &* 1_099_511_628_211
        sum = mixed ^ mixed >> 29
    }

    private static func bytes(_ value: MDB_val) -> UnsafeBufferPointer<UInt8> {
        unsafe UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size).assumingMemoryBound(to: UInt8.self)
    }

    private static func copy(_ value: MDB_val) -> [UInt8] {
        unsafe Array(UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
    }
}

extension Span where Element == UInt8 {
    /// Eight bytes from `offset` on as a number, least significant first; traps where there are fewer.
    @inlinable package func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset <= count - 8)
        return unsafe withUnsafeBytes { unsafe UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
    }
}

extension Array where Element == UInt8 {
    /// Eight bytes from `offset` on as a number, least significant first; traps where there are fewer.
    @inlinable package func word(at offset: Int) -> UInt64 { span.word(at: offset) }

    /// Puts bytes in the place of those from `offset` on; traps where there are fewer.
    @inlinable package mutating func replace(at offset: Int, with bytes: Span<UInt8>) {
        precondition(offset >= 0 && bytes.count <= count - offset)
        unsafe withUnsafeMutableBytes { target in
            unsafe bytes.withUnsafeBytes { unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: $0) }
        }
    }

    /// Appends what is seen as a span.
    package mutating func append(copying bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    @inlinable package init(copying bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }
}

/// Keys and values of an index that cannot be kept on disk.
final class MemoryTree {
    private(set) var values: [[UInt8]: [UInt8]] = [:]
    /// All keys in order, made when they are asked for.
    private var sorted: [[UInt8]]?

    func put(_ key: [UInt8], _ value: [UInt8]) {
        if values.updateValue(value, forKey: key) == nil { sorted = nil }
    }

    func remove(_ key: [UInt8]) { if values.removeValue(forKey: key) != nil { sorted = nil } }

    func keys(from start: [UInt8]) -> ArraySlice<[UInt8]> {
        let keys = sorted ?? values.keys.sorted { $0.lexicographicallyPrecedes($1) }
        sorted = keys
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = low + (high - low) / 2
            if keys[middle].lexicographicallyPrecedes(start) { low = middle + 1 } else { high = middle }
        }
        return keys[low...]
    }
}
