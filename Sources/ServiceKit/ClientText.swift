/// Text of databases and of other processes, made fit for a line of a client's protocol: nothing in it can end the line, begin another one, or
/// steer a terminal.
package enum ClientText {
    /// Controls of 7 and 8 bits, line separators and bidi marks become blanks; the rest stays.
    package static func line(_ text: String) -> String {
        guard !text.unicodeScalars.allSatisfy(LogText.isPrintable) else { return text }
        var result = ""
        for scalar in text.unicodeScalars { result.unicodeScalars.append(LogText.isPrintable(scalar) ? scalar : " ") }
        return result
    }

    /// The same, cut to at most so many bytes of UTF-8.
    package static func line(_ text: String, atMost limit: Int) -> String {
        var result = ""
        for scalar in line(text).unicodeScalars {
            guard result.utf8.count + UTF8.width(scalar) <= limit else { break }
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}
