internal import CPlatform
internal import Glibc

/// What the log process has received and not yet surely written, in memory that outlives it: master keeps the descriptor.
///
/// Datagrams are received straight into it, and what is to be written lies there with the size that the file had before. So a log process
/// that is killed at any moment loses no line and its successor writes none twice.
@safe
package final class LogSpool {
    /// Datagrams in one round.
    package static let slots = Int(CP_SPOOL_SLOTS)
    /// Bytes of one file's output in one round.
    package static let outputSize = Int(CP_SPOOL_OUTPUT)
    package static let files = Int(CP_SPOOL_FILES)
    package static let keptLimit = Int(CP_SPOOL_KEPT)
    package static let keptSize = Int(CP_SPOOL_KEPT_DATA)

    private let memory: UnsafeMutablePointer<cp_spool>

    /// Makes the memory file (unsealed content, fixed size).
    package static func create() throws(SystemError) -> FileDescriptor {
        FileDescriptor(adopting: try checked("memfd_create", cp_spool_create()))
    }

    /// Maps it; before the filter, which forbids shared writable mappings.
    package init(_ file: borrowing FileDescriptor) throws(SystemError) {
        guard let mapped = unsafe cp_spool_map(file.number) else { throw SystemError(call: "mmap(log spool)", code: EINVAL) }
        unsafe memory = mapped
    }

    /// What a predecessor was doing when it ended: true, it had begun to write.
    package var isWriting: Bool { unsafe memory.pointee.phase == 1 }

    package enum Arrival { case line, nothing, end }

    /// Receives one datagram of `source` into a slot.
    package func receive(_ slot: Int, from socket: Int32, source: String, leader: UInt32) -> Arrival {
        guard slot < Self.slots, let place = unsafe cp_spool_slot_at(memory, Int32(slot)) else { return .nothing }
        var name = Array(source.utf8.prefix(63))
        name.append(0)
        unsafe cp_spool_slot_source(place).initialize(from: name.map { CChar(bitPattern: $0) }, count: name.count)
        unsafe place.pointee.leader = leader
        let got = unsafe cp_spool_receive(socket, place)
        if got > 0 { return .line }
        return got == 0 ? .end : .nothing
    }

    /// What a slot holds, or nil when nothing was received into it.
    package func content(of slot: Int) -> (source: String, leader: UInt32, sender: Int32, bytes: [UInt8])? {
        guard slot < Self.slots, let place = unsafe cp_spool_slot_at(memory, Int32(slot)) else { return nil }
        let raw = unsafe UnsafeRawBufferPointer(start: cp_spool_slot_data(place), count: Int(CP_SPOOL_DATA))
        // A frame tells its own length; of a raw text the last byte that is not zero is the end.
        var end = raw.count
        while end > 0, unsafe raw[end - 1] == 0 { end -= 1 }
        guard end > 0 else { return nil }
        let source = unsafe String(cString: cp_spool_slot_source(place))
        return unsafe (source, place.pointee.leader, cp_spool_sender(place), Array(raw.prefix(end)))
    }

    /// Notes what will be written to each file, and the size each has now.
    package func beginWriting(_ outputs: [(bytes: [UInt8], sizeBefore: Int64)]) {
        for (file, plan) in outputs.prefix(Self.files).enumerated() {
            let bytes = Array(plan.bytes.prefix(Self.outputSize))
            unsafe UnsafeMutableRawPointer(cp_spool_output(memory, Int32(file))).copyMemory(from: bytes, byteCount: bytes.count)
            unsafe cp_spool_set_plan(memory, Int32(file), UInt32(bytes.count), UInt64(bitPattern: plan.sizeBefore))
        }
        cp_spool_barrier()
        unsafe memory.pointee.phase = 1
        cp_spool_barrier()
    }

    /// What a predecessor meant to write to a file, and the size the file had before.
    package func plan(_ file: Int) -> (bytes: [UInt8], sizeBefore: Int64) {
        var length: UInt32 = 0
        var before: UInt64 = 0
        unsafe cp_spool_get_plan(memory, Int32(file), &length, &before)
        let bytes = unsafe Array(
            UnsafeRawBufferPointer(start: cp_spool_output(memory, Int32(file)), count: min(Int(length), Self.outputSize)))
        return (bytes, Int64(bitPattern: before))
    }

    /// Remembers something for the administrator (`culveradm log errors`): the latest `keptLimit` entries stay, whoever is the log process.
    /// Longer than `keptSize` bytes: not kept.
    package func keep(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe cp_spool_keep(memory, $0.baseAddress, UInt32(truncatingIfNeeded: $0.count)) }
    }

    /// What is kept, oldest first.
    package var kept: [[UInt8]] {
        var entries: [[UInt8]] = []
        for age in (0..<UInt32(Self.keptLimit)).reversed() {
            var bytes: UnsafePointer<CChar>?
            let length = unsafe cp_spool_kept(memory, age, &bytes)
            if length > 0 { unsafe entries.append(Array(UnsafeRawBufferPointer(start: bytes, count: Int(length)))) }
        }
        return entries
    }

    /// All of the round is written: the slots are free again.
    package func finishWriting(slots used: Int) {
        for index in 0..<min(used, Self.slots) {
            guard let place = unsafe cp_spool_slot_at(memory, Int32(index)) else { continue }
            unsafe UnsafeMutableRawPointer(place).initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<cp_spool_slot>.size)
        }
        for file in 0..<Self.files { unsafe cp_spool_set_plan(memory, Int32(file), 0, 0) }
        cp_spool_barrier()
        unsafe memory.pointee.phase = 0
    }
}

extension Clock {
    /// Loads the time zone; before confinement, which forbids reading it.
    package static func prepareLocalTime() { cp_time_prepare() }

    /// A time in local time by strftime(3)'s format.
    package static func local(_ seconds: Int64, format: String) -> String {
        var room = [CChar](repeating: 0, count: 256)
        let count = unsafe cp_time_format(seconds, format, &room, room.count)
        return String(decoding: room.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension FileDescriptor {
    /// Size of a regular file; nil for anything else.
    package var fileSize: Int64? {
        let size = cp_file_size(number)
        return size < 0 ? nil : size
    }
}

extension Socket {
    /// A datagram socket connected to a path (syslog's /dev/log).
    package static func datagram(to path: String) throws(SystemError) -> FileDescriptor {
        FileDescriptor(adopting: try checked("connect(\(path))", unsafe cp_connect_datagram(path)))
    }
}
