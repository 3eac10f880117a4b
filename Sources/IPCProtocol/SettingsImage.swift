/// The part of the configuration that one service gets, as a sealed memory file. Values are in normal form: yes/no, bytes, milliseconds,
/// lists joined by one blank, `unlimited`, `infinite`. A service gets only the settings that the schema gives to its role.
package struct SettingsImage: Equatable, Sendable {
    /// Largest image: certificates with their chains are the bulk of it.
    package static let maximumSize = 8 << 20

    /// Values that hold for some connections only; the block without conditions comes first, more specific ones follow.
    package struct Block: Equatable, Sendable {
        /// Numeric address or `address/bits` of the server's end; empty: any.
        package var local: String
        /// The same of the client's end.
        package var remote: String
        /// TLS server name; may begin with `*.`; empty: any.
        package var localName: String
        package var values: [String: String]

        package init(local: String = "", remote: String = "", localName: String = "", values: [String: String]) {
            self.local = local
            self.remote = remote
            self.localName = localName
            self.values = values
        }
    }

    package var blocks: [Block]

    package init(blocks: [Block]) { self.blocks = blocks }

    package func encoded() throws(FrameError) -> [UInt8] {
        var encoder = FieldEncoder()
        encoder.integer(UInt32(blocks.count))
        for var block in blocks {
            try encoder.text(&block.local, "local", atMost: 256)
            try encoder.text(&block.remote, "remote", atMost: 256)
            try encoder.text(&block.localName, "local_name", atMost: 1024)
            encoder.integer(UInt32(block.values.count))
            for (key, value) in block.values.sorted(by: { $0.key < $1.key }) {
                var key = key
                var value = value
                try encoder.text(&key, "key", atMost: 1024)
                try encoder.text(&value, "value", atMost: Self.maximumSize)
            }
        }
        return encoder.bytes
    }

    package init(decoding bytes: [UInt8]) throws(FrameError) {
        var decoder = FieldDecoder(bytes[...])
        blocks = []
        for _ in 0..<(try decoder.integer("blocks", UInt32.self)) {
            var block = Block(values: [:])
            try decoder.text(&block.local, "local", atMost: 256)
            try decoder.text(&block.remote, "remote", atMost: 256)
            try decoder.text(&block.localName, "local_name", atMost: 1024)
            for _ in 0..<(try decoder.integer("values", UInt32.self)) {
                var key = ""
                var value = ""
                try decoder.text(&key, "key", atMost: 1024)
                try decoder.text(&value, "value", atMost: Self.maximumSize)
                block.values[key] = value
            }
            blocks.append(block)
        }
        try decoder.finish()
    }
}
