import Glibc
import Platform
import Testing

@testable import master

@Suite("Sockets from systemd")
struct SystemdTests {
    @Test("are taken by family and port, and others are left alone") func taken() async {
        await #expect(processExitsWith: .success) {
            let (ours, theirs) = try SocketPair().split()
            var listener: FileDescriptor?
            var port: UInt16 = 0
            while listener == nil {
                port = .random(in: 20_000..<30_000)
                listener = try? Socket.listen(address: "127.0.0.1", port: port, backlog: 5)
            }
            let number = listener?.number ?? -1
            unsafe setenv("LISTEN_PID", "\(Platform.Process.id)", 1)
            unsafe setenv("LISTEN_FDS", "\(number - 2)", 1)
            #expect(Systemd.inheritedSockets() == ["4:\(port)": number])
            unsafe setenv("LISTEN_PID", "\(Platform.Process.id + 1)", 1)
            #expect(Systemd.inheritedSockets() == [:], "meant for another process")
            unsafe setenv("LISTEN_PID", "\(Platform.Process.id)", 1)
            for count in ["0", "-1", "x", "", "512", "99999999999"] {
                unsafe setenv("LISTEN_FDS", count, 1)
                #expect(Systemd.inheritedSockets() == [:])
            }
            closeDescriptor(ours)
            closeDescriptor(theirs)
        }
    }

    @Test("are none without it, and nobody is told of anything") func none() {
        #expect(!Systemd().isListening)
        Systemd().notify(["READY=1"])
    }
}

@Suite("The table of processes")
struct ProcessTableTests {
    @Test("finds the members of a group by its number") func members() {
        let own = getpgid(0)
        #expect(ProcessTable.members(ofGroup: own).contains(Platform.Process.id))
        #expect(ProcessTable.members(ofGroup: .max) == [])
    }
}
