/// What the server says of itself (RFC 2971): `imap_id_send`.
package enum ServerID {
    // id_response = "ID" SP id_params_list ; id_params_list = "(" #(string SP nstring) ")" / nil          RFC 2971 section 4
    /// The untagged response without its line end. `setting`: pairs of field and value with blanks between; `*` is what is true of this server,
    /// for `name`, `version` and `os`, and NIL for others. Not more than 30 fields are sent (section 3.3).
    package static func response(_ setting: String, version: String) -> [UInt8] {
        let words = setting.split(separator: " ")
        var out = ResponseWriter()
        guard words.count > 1 else { return Array("* ID NIL".utf8) }
        out.text("* ID (")
        for index in stride(from: 0, to: min(words.count - 1, 60), by: 2) {
            if index > 0 { out.byte(0x20) }
            out.string(words[index].utf8)
            out.byte(0x20)
            switch (words[index + 1], words[index]) {
            case ("*", "name"): out.string("Culver".utf8)
            case ("*", "version"): out.string(version.utf8)
            case ("*", "os"): out.string("Linux".utf8)
            case ("*", _): out.text("NIL")
            case (let value, _): out.string(value.utf8)
            }
        }
        out.byte(0x29)
        return out.bytes
    }
}
