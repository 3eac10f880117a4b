import Configuration
import IMAPSyntax
import IPCProtocol
import MailStore
import MessageFormat
import PasswordStore
import SASL
import Variables
import auth
import logd
import login

/// What is fuzzed, by the name that `make fuzz TARGET=` takes. A function traps, or answers false, when a rule is broken.
let targets: [String: @Sendable ([UInt8]) -> Bool] = [
    "frames": { fuzzFrames($0).isEmpty && fuzzFrames(withLength($0)).isEmpty },
    "settings-image": fuzzSettingsImage,
    "log-line": fuzzReceivedLine,
    "imap-command": always(fuzzIMAPCommand),
    "imap-dialogue": fuzzDialogue,
    "proxy-header": fuzzProxyHeader,
    "sasl": always(fuzzExchange),
    "auth-text": always(fuzzTextProtocols),
    "password-file": always(fuzzPasswordFile),
    "message": always(fuzzMessage),
    "charset": fuzzCharset,
    "preview": fuzzPreview,
    "summary": fuzzSummary,
    "collation": always(fuzzCollation),
    "modified-utf7": fuzzModifiedUTF7,
    "maildir-name": fuzzMaildirName,
    "uidlist": fuzzUIDList,
    "name-group": fuzzNameGroup,
    "item-block": fuzzItemBlock,
    "keywords": fuzzKeywords,
    "subscriptions": fuzzSubscriptions,
    "configuration": always(fuzzConfiguration),
    "variables": always(fuzzTemplate),
]

private func always(_ body: @escaping @Sendable ([UInt8]) -> Void) -> @Sendable ([UInt8]) -> Bool {
    {
        body($0); return true
    }
}

/// The datagram with the length in its head made right, so that its fields are reached.
private func withLength(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.count >= FrameHeader.size else { return bytes }
    var frame = bytes
    let length = frame.count - FrameHeader.size
    for index in 0..<4 { frame[12 + index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
    return frame
}
