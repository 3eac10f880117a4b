import Glibc
import Platform

/// A folder that goes away with the test.
final class Folder {
    let path: String

    init() throws {
        path = "/tmp/culver-master-\(UInt64.random(in: 0 ... .max))"
        try FileSystem.makeDirectory(path, mode: 0o755)
    }

    func write(_ name: String, _ text: String) throws { try FileSystem.open(path + "/" + name, for: .write).writeAll(Array(text.utf8)) }
    func text(_ name: String) -> String? { FileSystem.content(path + "/" + name).map { String(decoding: $0, as: UTF8.self) } }
    func mode(_ name: String) -> UInt32? { FileSystem.info(path + "/" + name)?.mode }

    deinit { Folder.clear(path) }

    private static func clear(_ path: String) {
        for name in FileSystem.names(in: path) {
            let inner = path + "/" + name
            if FileSystem.info(inner)?.isDirectory == true { clear(inner) } else { try? FileSystem.remove(inner) }
        }
        _ = unsafe rmdir(path)
    }
}
