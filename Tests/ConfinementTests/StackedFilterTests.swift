import Confinement
import Testing

/// What the kernel looks at (`struct seccomp_data`, seccomp(2)).
private struct CallData {
    var number: UInt32
    var arguments: [UInt64] = [0, 0, 0, 0, 0, 0]

    #if arch(x86_64)
        static let architecture: UInt32 = 0xc000_003e
    #else
        static let architecture: UInt32 = 0xc000_00b7
    #endif

    func word(at offset: UInt32) -> UInt32? {
        switch offset {
        case 0: number
        case 4: Self.architecture
        case 16..<64 where offset % 4 == 0:
            UInt32(truncatingIfNeeded: arguments[Int(offset - 16) / 8] >> (offset % 8 == 0 ? 0 : 32))
        default: nil
        }
    }
}

/// A filter, run as the kernel does (classic BPF, the instructions that libseccomp uses).
private struct Interpreter {
    private struct Instruction {
        let operation: UInt16
        let yes: Int
        let no: Int
        let constant: UInt32
    }
    private let code: [Instruction]
    var count: Int { code.count }

    init(_ filter: SystemCallFilter) throws {
        let bytes = try filter.compiled().instructions
        code = stride(from: 0, to: bytes.count, by: 8).map { at in
            let constant = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + 4 + $1]) << (8 * $1) }
            return Instruction(
                operation: UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8, yes: Int(bytes[at + 2]), no: Int(bytes[at + 3]),
                constant: constant)
        }
    }

    func verdict(_ data: CallData) -> UInt32? {
        var accumulator: UInt32 = 0
        var position = 0
        while position < code.count {
            let next = code[position]
            position += 1
            switch next.operation {
            case 0x20:
                guard let word = data.word(at: next.constant) else { return nil }
                accumulator = word
            case 0x54: accumulator &= next.constant
            case 0x05: position += Int(next.constant)
            case 0x15: position += accumulator == next.constant ? next.yes : next.no
            case 0x25: position += accumulator > next.constant ? next.yes : next.no
            case 0x35: position += accumulator >= next.constant ? next.yes : next.no
            case 0x45: position += accumulator & next.constant != 0 ? next.yes : next.no
            case 0x06: return next.constant
            default: return nil
            }
        }
        return nil
    }
}

/// The smaller, the stricter: the kernel compares the actions as signed numbers.
private func stricter(_ first: UInt32, _ second: UInt32) -> UInt32 {
    Int32(bitPattern: first & 0xffff_0000) <= Int32(bitPattern: second & 0xffff_0000) ? first : second
}

@Suite("A worker's filter on top of its zygote's")
struct StackedFilterTests {
    private static let pairs: [(Confinement, Confinement)] = [
        (.loginWorker, .loginZygote), (.mailWorker, .mailZygote), (.reusedMailWorker, .mailZygote),
    ]

    /// Arguments on both sides of every condition that any of the two filters has.
    private static func arguments(_ filters: [SystemCallFilter]) -> [[UInt64]] {
        var all: [[UInt64]] = [[0, 0, 0, 0, 0, 0], [UInt64](repeating: .max, count: 6)]
        for call in filters.flatMap(\.allowed) where !call.conditions.isEmpty {
            var right: [UInt64] = [0, 0, 0, 0, 0, 0]
            for case .masked(let index, _, let value) in call.conditions { right[Int(index)] = value }
            all.append(right)
            for case .masked(let index, let mask, let value) in call.conditions {
                for wrong in [value ^ 1, value | 0x8000_0000, value | 1 << 40, value ^ mask, value &+ 1, value | ~mask] {
                    var changed = right
                    changed[Int(index)] = wrong
                    all.append(changed)
                }
            }
        }
        return all.reduce(into: [[UInt64]]()) { if !$0.contains($1) { $0.append($1) } }
    }

    @Test("permits exactly what the worker's own would, for every call and on both sides of every condition", arguments: pairs)
    func isTheSame(_ worker: Confinement, _ zygote: Confinement) throws {
        let inner = try Interpreter(worker.filter.narrowing(zygote.filter))
        let outer = try Interpreter(zygote.filter)
        let whole = try Interpreter(worker.filter)
        #expect(inner.count < whole.count / 2, "\(inner.count) of \(whole.count) instructions")
        let samples = Self.arguments([worker.filter, zygote.filter])
        for number in UInt32(0)..<470 {
            for arguments in samples {
                let data = CallData(number: number, arguments: arguments)
                let stacked = stricter(try #require(inner.verdict(data)), try #require(outer.verdict(data)))
                let own = try #require(whole.verdict(data))
                if stacked != own {
                    Issue.record("call \(number) \(arguments): \(String(stacked, radix: 16)) for \(String(own, radix: 16))")
                }
            }
        }
    }

    @Test("takes away what the zygote needs, the loading of filters included")
    func takesAway() throws {
        let filter = Confinement.mailWorker.filter.narrowing(Confinement.mailZygote.filter)
        for name in ["clone", "kill", "seccomp", "setresuid", "capset", "prctl"] {
            #expect(filter.trapped.contains { $0.name == name }, "\(name)")
        }
        #expect(filter.allowsOthers)
    }
}
