internal import Platform

/// What a text listener lets its clients say (auth.md 1).
enum TextRole: Equatable {
    /// The client protocol; `atOnce`: the whole handshake before the client speaks.
    case client(atOnce: Bool)
    case userdb
    case master

    /// From the role word of a listener: `auth-client`, `auth-userdb`, `userdb` …
    init(_ word: String, greetsAtOnce: Bool) {
        switch word.split(separator: "-").last.map({ String($0) }) ?? "" {
        case "userdb": self = .userdb
        case "master": self = .master
        case "legacy": self = .client(atOnce: true)
        default: self = .client(atOnce: greetsAtOnce)
        }
    }
}

/// One connection of a mail server or tool that speaks text.
final class TextConnection {
    enum Dialogue {
        case client(ClientProtocol)
        case userdb(UserdbProtocol)
    }

    let token: UInt64
    let socket: FileDescriptor
    /// Number of the connection, for log lines.
    let number: UInt32
    /// Set: only this user's own data may be asked for (auth.md 1).
    let restrictedTo: UInt32?
    var dialogue: Dialogue
    private var buffer: LineBuffer
    private var output: [UInt8] = []
    private var sent = 0
    private(set) var isBroken = false

    init(token: UInt64, number: UInt32, socket: consuming FileDescriptor, restrictedTo: UInt32?, _ dialogue: Dialogue) {
        self.token = token
        self.number = number
        self.socket = socket
        self.restrictedTo = restrictedTo
        self.dialogue = dialogue
        switch dialogue {
        case .client(let client):
            buffer = LineBuffer(limit: Limits.clientLine)
            output = client.opening
        case .userdb(let userdb):
            buffer = LineBuffer(limit: Limits.userdbLine)
            output = userdb.opening
        }
    }

    /// The client does not read: neither do we, until it does.
    var isFull: Bool { output.count - sent > Limits.output }
    var hasOutput: Bool { sent < output.count }

    func send(_ bytes: [UInt8]) { output += bytes }

    /// Writes as much as the socket takes.
    func flush() {
        while sent < output.count {
            do throws(SystemError) {
                sent += try socket.write(output[sent...])
            } catch {
                if !error.isWouldBlock { isBroken = true }
                break
            }
        }
        if sent == output.count {
            output.removeAll(keepingCapacity: output.capacity < 65_536)
            sent = 0
        } else if sent > 65_536 {
            output.removeFirst(sent)
            sent = 0
        }
    }

    /// Reads once; false at the end.
    func fill() -> Bool {
        var piece: [UInt8] = []
        do throws(SystemError) {
            let got = try socket.read(appendingTo: &piece, atMost: 16_384)
            buffer.add(piece)
            return got > 0
        } catch {
            return error.isWouldBlock
        }
    }

    var isClient: Bool {
        if case .client = dialogue { return true }
        return false
    }

    func nextLine() -> LineBuffer.Outcome { buffer.next() }
}
