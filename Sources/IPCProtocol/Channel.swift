package import Platform

/// A message with the descriptors that came with it. What is not taken is closed.
package struct Received<Content: Message>: ~Copyable {
    package let message: Content
    package let request: UInt32
    private var descriptors: [Int32]

    fileprivate init(message: Content, request: UInt32, descriptors: [Int32]) {
        self.message = message
        self.request = request
        self.descriptors = descriptors
    }

    /// The next descriptor, in the order sent.
    package mutating func takeDescriptor() -> FileDescriptor? {
        descriptors.isEmpty ? nil : FileDescriptor(adopting: descriptors.removeFirst())
    }

    deinit {
        for number in descriptors { closeDescriptor(number) }
    }
}

/// Why a channel is of no use any more.
package enum ChannelError: Error, Equatable, CustomStringConvertible {
    /// The other side closed it, or ended.
    case closed
    /// The other side sent what this channel does not permit.
    case refused(FrameError)
    case system(SystemError)
    /// The other side does not read: more frames are waiting than `Channel.maximumQueue`.
    case queueFull

    package var description: String {
        switch self {
        case .closed: "channel closed by its peer"
        case .refused(let error): error.description
        case .system(let error): error.description
        case .queueFull: "peer does not read: \(maximumQueuedFrames) frames are waiting"
        }
    }
}

/// Bounded, so that a peer that stops reading costs a fixed amount of memory (security.md 5.8).
package let maximumQueuedFrames = 1024

/// One end of a SOCK_SEQPACKET socket on which frames travel. Sending never blocks; what the kernel does not take waits in a bounded queue.
package final class Channel {
    private let socket: FileDescriptor
    private let maximumQueue: Int
    private var queue: [Waiting] = []
    /// Whether the poller asks for room to send, so that it is told only when that changes.
    package var isWatchedForRoom = false

    private struct Waiting {
        let head: [UInt8]
        let payload: [UInt8]
        let descriptors: [Int32]
    }

    /// A peer that stops reading costs at most `maximumQueue` frames of memory; administrators, who read long lists, may have more.
    package init(_ socket: consuming FileDescriptor, maximumQueue: Int = maximumQueuedFrames) {
        self.socket = socket
        self.maximumQueue = maximumQueue
    }

    deinit {
        for frame in queue {
            for number in frame.descriptors { closeDescriptor(number) }
        }
    }

    /// The descriptor, for a poller or for the plan of what a forked child keeps.
    package var number: Int32 { socket.number }

    /// Frames wait to be sent: the poller should ask for writability and call `flush`.
    package var hasBacklog: Bool { !queue.isEmpty }

    /// Sends a message; `descriptors` stay the caller's (the kernel, or the queue, keeps its own copies).
    package func send(_ message: some Message, request: UInt32 = 0, descriptors: [Int32] = []) throws(ChannelError) {
        try post(message, request, descriptors)
    }

    /// `send`, for all directions.
    func post(_ message: some Message, _ request: UInt32, _ descriptors: [Int32]) throws(ChannelError) {
        guard descriptors.count == message.descriptorCount else {
            throw .refused(.wrongDescriptors(announced: message.descriptorCount, received: descriptors.count))
        }
        let payload: [UInt8]
        do throws(FrameError) { payload = try message.encodedPayload() } catch { throw .refused(error) }
        let head = FrameHeader(
            kind: message.kind, descriptorCount: UInt16(truncatingIfNeeded: descriptors.count), request: request,
            payloadLength: UInt32(truncatingIfNeeded: payload.count)
        ).encoded()
        if !queue.isEmpty { try flush() }
        if queue.isEmpty {
            do throws(SystemError) {
                try DatagramSocket.send(head, payload, descriptors: descriptors, to: socket.number)
                return
            } catch  where error.isWouldBlock {
            } catch {
                throw error.isConnectionEnd ? .closed : .system(error)
            }
        }
        guard queue.count < maximumQueue else { throw .queueFull }
        var copies: [Int32] = []
        for number in descriptors {
            do throws(SystemError) {
                copies.append(try duplicateDescriptor(number))
            } catch {
                throw .system(error)
            }
        }
        queue.append(Waiting(head: head, payload: payload, descriptors: copies))
    }

    /// Sends what waits, as far as the kernel takes it.
    package func flush() throws(ChannelError) {
        var sent = 0
        defer { queue.removeFirst(sent) }  // once: a list for an administrator may be long
        while sent < queue.count {
            let next = queue[sent]
            do throws(SystemError) {
                try DatagramSocket.send(next.head, next.payload, descriptors: next.descriptors, to: socket.number)
            } catch  where error.isWouldBlock {
                return
            } catch {
                throw error.isConnectionEnd ? .closed : .system(error)
            }
            for number in next.descriptors { closeDescriptor(number) }
            sent += 1
        }
    }

    /// The next message, or nil when none is there (with `wait`: blocks for it). Throws `closed` at the end.
    package func receive<Content: Message>(_ type: Content.Type, wait: Bool = false) throws(ChannelError) -> Received<Content>? {
        try next(type, wait: wait)
    }

    /// `receive`, for all directions.
    func next<Content: Message>(_ type: Content.Type, wait: Bool) throws(ChannelError) -> Received<Content>? {
        // A peer that speaks has read: owners that do not ask the poller for room send the rest now. An error here comes again after
        // what the peer said last.
        if !queue.isEmpty { do throws(ChannelError) { try flush() } catch {} }
        let datagram: Datagram
        do throws(SystemError) {
            guard
                let found = try DatagramSocket.receive(from: socket.number, atMost: Content.maximumFrame, wait: wait)
            else { return nil }
            datagram = found
        } catch {
            throw error.isConnectionEnd ? .closed : .system(error)
        }
        if datagram.bytes.isEmpty && datagram.descriptors.isEmpty { throw .closed }
        if datagram.isTruncated {
            datagram.dispose()
            throw .refused(.tooLong(limit: Content.maximumFrame, channel: Content.channel))
        }
        do throws(FrameError) {
            let decoded = try Content.decode(datagram.bytes, descriptors: datagram.descriptors.count)
            return Received(message: decoded.message, request: decoded.request, descriptors: datagram.descriptors)
        } catch {
            datagram.dispose()
            throw .refused(error)
        }
    }
}
