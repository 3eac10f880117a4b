extension ProtocolDocument {
    /// The page before the tables: what there is to understand.
    static let introduction = """
        # What the processes of Culver say to each other

        This file is rendered from `Sources/IPCProtocol`; a test fails when the two differ (`CULVER_WRITE_DOCS=1 swift test --filter
        IPCProtocolTests` writes it again). Read the first page, then look up in the tables what you need.

        ## Frames

        Processes talk over UNIX sockets of type SOCK_SEQPACKET: the kernel keeps each datagram whole, and the descriptors that were sent
        with it stay with it. **One datagram is one frame**: a head of \(FrameHeader.size) bytes, then the payload. Numbers are little endian.

        | byte | size | |
        |---|---|---|
        | 0 | 2 | magic, `CV` (\(hexadecimal(FrameHeader.magic))): a stray text on a wrong socket is recognised at once |
        | 2 | 2 | protocol version, now \(FrameHeader.version) |
        | 4 | 2 | message kind: a number that means something on this channel and in this direction only |
        | 6 | 2 | how many descriptors travel with it |
        | 8 | 4 | request id: pairs an answer with its question on this channel; 0 when there is no answer |
        | 12 | 4 | length of the payload |

        The payload is the fields of the message one behind the other, without names or padding.

        | type | on the wire |
        |---|---|
        | u8, u16, u32, u64 | 1, 2, 4, 8 bytes |
        | bool | 1 byte, 0 or 1; anything else is refused |
        | bytes ≤ n | 4 bytes length, at most n, then the bytes |
        | text ≤ n | the same, and the bytes must be valid UTF-8 |
        | ≤ n texts ≤ m | 2 bytes count, at most n, then each text |

        Each message is an enum case, and one function (`visit`) walks through its fields. Encoder, decoder and this document are visitors of
        that one function, so they cannot disagree. The encoder refuses what the decoder would refuse.

        ## Rules

        - A frame is decoded to its last byte before anything is done. Cut short, a byte too many, a field over its limit, a wrong number of
          descriptors, an unknown kind: the frame is refused, its descriptors are closed, **that channel ends, and no other**. The receiver logs
          one line and works on.
        - Payload at most \(FrameHeader.maximumPayload) bytes. What is larger (settings, certificates) travels as a sealed memory file, whose
          descriptor is sent. No message carries more than one descriptor; the receiver has room for 16 and closes what nobody takes.
        - Nobody waits for a peer. What the kernel does not take at once is queued, at most \(maximumQueuedFrames) frames for a channel; one more
          ends it. Answers to `culveradm` may be longer lists: 1,000,000 frames (log: 2,000).
        - A request id, a ticket, a count and a queued client mean something only together with the channel on which they came, and end with it.

        ## Who is at the other end

        Identity is the channel, never the content. Most channels are pairs that a stronger process made and gave away, so whoever has the end
        *is* the peer. Where anybody could write, the kernel tells: listening sockets ask SO_PEERCRED, the log channel SCM_CREDENTIALS for each
        datagram. A pid in a payload is either a number that the sender had from fork (`attach`) or only a name for something the receiver
        already knows (`kick`). No process takes a uid, a path or a user name from a weaker one.

        Master and each process that it executes begin with `hello`: role, protocol version and build. Neither waits for the other's: who finds
        another build ends with an error that names both and the file, because then the executables of two builds are mixed. Workers are forked,
        and all other pairs join processes that have said `hello`, so these say it no more. Every frame carries the protocol version in its
        head; one that does not fit ends the channel in the same way.

        ## Tickets

        Login processes talk with strangers, so they must not be able to say "this is Ada". After a successful exchange auth remembers the
        user under a **ticket**: 128 random bits, single use, valid for 60 seconds, only from the login process that asked and for the address
        that it named, void when its channel closes. Login hands the ticket on; the mail zygote asks auth what it stands for. A login process
        that was broken into can log in with passwords that it sees, and cannot name a user.

        ## One login, frame by frame

        Before: master made the pairs, started log, config, anvil, auth and the zygotes, sent each its `listener` and `peer` messages, then
        `start`; each confined itself and answered `ready`.

        1. A client connects. The login zygote accepts and picks a worker: ZygoteToWorker.`client` with the connection's descriptor, or a
           fork. For a new worker it made two pairs: ZygoteToAuth.`attach` and ZygoteToZygote.`attach` give the far ends to auth and to the mail
           zygote, with the worker's pid.
        2. The worker does TLS and the protocol before login. On `LOGIN` or `AUTHENTICATE` it sends LoginToAuth.`begin` with a fresh request id:
           mechanism, both addresses, whether the connection is secured, and the initial response.
        3. Auth answers AuthToLogin.`challenge` as long as the mechanism wants (the worker returns the client's answer with `proceed`), at last
           `failed`, when the delay has passed, or `succeeded` with the ticket.
        4. The worker sends LoginToMail.`handOver` to the mail zygote: the ticket, the tag that wants its answer, what the client sent behind
           the command, and as descriptor the client's connection. For a TLS client the descriptor is one end of a new pair, whose other end the
           worker goes on proxying.
        5. The zygote sends ZygoteToAuth.`redeem` with the ticket, the pid from `attach` and the client's address. Auth answers
           AuthToZygote.`user`: uid, gid, home and mail location.
        6. The zygote asks ServiceToAnvil.`admit`. Anvil counts and answers `admitted`, or `overLimit`.
        7. The zygote forks. The worker becomes the user and confines itself. The zygote tells anvil `started` with the pid, login
           MailToLogin.`accepted`, and then the worker ZygoteToWorker.`begin`: now it opens the mailbox and answers the client's tag. When
           all processes are busy the zygote says `queued` with the limit's name and value, and `accepted` or `refused` later.
        8. Login writes its log line (ServiceToLog.`line`), reports WorkerToZygote.`state`, and forgets a plain client. When the mail worker
           ends, in whatever way, its zygote sends ServiceToAnvil.`left`.

        If auth, anvil, log or a zygote dies in between, master starts it again and gives everybody a new `peer` channel. Mail zygotes then
        `announce` their sessions to a new anvil; a new zygote takes over running workers with `adopt`.

        """

    private static func hexadecimal(_ number: UInt16) -> String { "0x" + String(number, radix: 16) }
}
