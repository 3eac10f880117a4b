import Testing

@testable import MailStore

@Suite("The file of attributes")
struct AttributeTests {
    private func raw(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("gives back what was put in, whatever bytes it has")
    func roundTrip() throws {
        var file = AttributeFile()
        try file.set(raw("/private/a"), raw("x\ty\n\u{1}z\0"), of: [raw("A"), raw("B")])
        try file.set(raw("/shared/b"), [], of: [])
        #expect(AttributeFile(file.text).entries == file.entries)
        try file.set(raw("/private/a"), raw("new"), of: [raw("A"), raw("B")])
        #expect(file.entries.count == 2 && file.of([raw("A"), raw("B")]) == [MailAttribute(name: raw("/private/a"), value: raw("new"))])
        file.rename([raw("A")], to: [raw("C"), raw("D")])
        #expect(file.of([raw("C"), raw("D"), raw("B")]).count == 1 && file.of([raw("A"), raw("B")]).isEmpty)
        file.remove([raw("C"), raw("D"), raw("B")])
        #expect(file.entries.count == 1)
    }

    @Test(
        "reads damaged files as far as they make sense",
        arguments: ["", "V", "V\t2\na\tb\n", "V\t1\n\n\t\na\n\tb\n", "V\t1\nname\tvalue\tbox"])
    func damaged(_ text: String) {
        let file = AttributeFile(raw(text))
        #expect(file.entries.allSatisfy { !$0.name.isEmpty })
        #expect(AttributeFile(file.text).entries == file.entries)
    }

    @Test("holds a hundred of one mailbox")
    func limit() throws {
        var file = AttributeFile()
        for index in 0..<StoreLimits.attributes { try file.set(raw("/private/\(index)"), [], of: [raw("A")]) }
        #expect(throws: StoreError.limit("Too many attributes.")) { try file.set(raw("/private/x"), [], of: [raw("A")]) }
        try file.set(raw("/private/x"), [], of: [raw("B")])
        try file.set(raw("/private/1"), raw("again"), of: [raw("A")])
    }
}
