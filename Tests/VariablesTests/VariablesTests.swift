import Testing

@testable import Variables

private let values = [
    "user": "Ada.L@Example.ORG", "service": "imap", "home": "/home/ada", "local_ip": "192.0.2.1", "remote_ip": "198.51.100.7",
    "local_port": "143", "pid": "4711", "uid": "255", "userdb:quota": "5", "message": "Login",
]

@Suite("A template with letters")
struct LetterTemplateTests {
    @Test(
        "puts in values",
        arguments: [
            ("%u", "Ada.L@Example.ORG"), ("%Lu", "ada.l@example.org"), ("%Un", "ADA.L"), ("%d", "Example.ORG"),
            ("%{user}", "Ada.L@Example.ORG"),
            ("%L{domain}", "example.org"), ("%%u", "%u"), ("100%", "100%"),
            ("mbox:~/mail:INBOX=/var/mail/%n", "mbox:~/mail:INBOX=/var/mail/Ada.L"),
            ("%2u", "Ad"), ("%2.1u", "a"), ("%-2.2i", "55"), ("%05a", "00143"), ("%Xi", "ff"), ("%Rs", "pami"), ("%Dd", "Example,dc=ORG"),
            ("%{rip}:%l", "198.51.100.7:192.0.2.1"), ("%$: %p", "Login: 4711"), ("%{userdb:quota}", "5"), ("%{userdb:none:10}", "10"),
            ("%z", "UNSUPPORTED_VARIABLE_z"), ("%{nix}", "UNSUPPORTED_VARIABLE_nix"), ("%{domain_first}", "Example.ORG"),
            ("%{if;%s;eq;imap;yes;no}", "yes"), ("%{if;%a;>;200;big;%{if;%s;*;po*;p;i\\;}}", "i;"), ("%{if;%u;*;*@*;a;b}", "a"),
            ("%E{e}", "UNSUPPORTED_VARIABLE_e"), ("", ""),
        ])
    func expands(_ text: String, _ expected: String) throws {
        #expect(try Template(text, dialect: .letters).expand(values) == expected)
    }

    @Test("hashes as existing directories need it")
    func hashes() throws {
        // md5("alice") = 6384e2b2184bcbf58eccf10ca7a6563c
        #expect(try Template("%Mu", dialect: .letters).expand(["user": "alice"]) == "6384e2b2184bcbf58eccf10ca7a6563c")
        #expect(try Template("%{md5:user}", dialect: .letters).expand(["user": "alice"]) == "6384e2b2184bcbf58eccf10ca7a6563c")
        #expect(try Template("%2.256Nu", dialect: .letters).expand(["user": "alice"]) == "f5")
        #expect(try Template("%Mu", dialect: .letters).expand(["user": ""]) == "d41d8cd98f00b204e9800998ecf8427e")
        #expect(
            try Template("%Mu", dialect: .letters).expand(["user": String(repeating: "1234567890", count: 8)])
                == "57edf4a22be3c955ac49da2e2107b67a")
    }

    @Test("refuses", arguments: ["%{user", "%", "%L", "%Hu", "%{sha256:user}", "%{if;a;eq}", "%{if;a;~;b;c;d}", "%99999999999999999999u"])
    func refuses(_ text: String) {
        if text == "%" {
            #expect(throws: Never.self) { try Template(text, dialect: .letters) }
        } else {
            #expect(throws: TemplateError.self) { try Template(text, dialect: .letters) }
        }
    }

    @Test("never expands inside values") func safe() throws {
        let template = try Template("<%u>", dialect: .letters)
        #expect(try template.expand(["user": "%{home}%h"]) == "<%{home}%h>")
    }

    @Test("escapes only values") func escapes() throws {
        let template = try Template("'%u'", dialect: .letters)
        #expect(try template.expand(escaping: { $0.split(separator: "'").joined(separator: "''") }, { _ in "o'neil" }) == "'o''neil'")
    }
}

@Suite("A template with pipelines")
struct PipelineTemplateTests {
    @Test(
        "puts in values",
        arguments: [
            ("%{user}", "Ada.L@Example.ORG"), ("%{user | username | lower}", "ada.l"), ("%{user|domain|upper}", "EXAMPLE.ORG"),
            ("%u 5%", "%u 5%"),
            ("%%{user}", "%{user}"), ("%{nix | default('x')}", "x"), ("%{nix|default}", ""), ("%{local_port + 1000}", "1143"),
            ("%{local_port % 10}", "3"),
            ("%{user | md5 | substr(0,8) % 256 | hex(2)}", "%2.256Nu"), ("%{userdb:quota}", "5"), ("%{uid | hex(4)}", "00ff"),
            ("%{user | substr(0, 3)}", "Ada"), ("%{user | substr(-3)}", "ORG"), ("%{user | index('@', 1)}", "Example.ORG"),
            ("%{'a' | concat('b', user)}", "abAda.L@Example.ORG"),
            ("%{service | if('==', 1, 'a', 'b') | default}", "error"), ("%{service | if('eq', 'imap', 'a', 'b')}", "a"),
            ("%{literal('q')}", "q"),
            ("%{if(service, 'eq', 'pop3', 'a', home)}", "/home/ada"), ("%{uid | lfill(5, '0')}", "00255"),
            ("%{user | truncate(2) | reverse}", "dA"),
        ])
    func expands(_ text: String, _ expected: String) throws {
        let template = try Template(text, dialect: .pipelines)
        if expected == "error" {
            #expect(throws: TemplateError.self) { try template.expand(values) }
        } else if expected.hasPrefix("%2") {
            #expect(try template.expand(values) == Template(expected, dialect: .letters).expand(values))
        } else {
            #expect(try template.expand(values) == expected)
        }
    }

    @Test(
        "refuses",
        arguments: [
            "%{user", "%{}", "%{user | nix}", "%{user lower}", "%{user | default('x}", "%{user | default('x'", "%{f(1)}", "%{port + x}",
        ])
    func refuses(_ text: String) {
        #expect(throws: TemplateError.self) { try Template(text, dialect: .pipelines) }
    }

    @Test("names what is missing") func missing() throws {
        let template = try Template("%{nix | lower}", dialect: .pipelines)
        #expect(throws: TemplateError(offset: nil, message: "Unknown variable 'nix'")) { try template.expand(values) }
        #expect(template.names == ["nix"])
    }
}

@Test("Random templates do not crash") func randomTemplates() {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("%%%{{}}|()';,:.-0159uLNHMXif eqdefault(substr index md5)&\\\"".utf8)
    for _ in 0..<3000 {
        fuzzTemplate((0..<Int.random(in: 0..<60, using: &generator)).map { _ in alphabet.randomElement(using: &generator) ?? 0 })
    }
}
