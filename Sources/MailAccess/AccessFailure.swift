/// Why a command can do nothing for a user, and its exit code (sysexits.h), which transfer agents understand.
package struct AccessFailure: Error {
    package enum Code: Int32 {
        /// EX_USAGE
        case usage = 64
        /// EX_NOUSER
        case noUser = 67
        /// EX_TEMPFAIL: try again later.
        case temporary = 75
        /// EX_NOPERM: refused for good.
        case reject = 77
        /// EX_CONFIG
        case configuration = 78
    }

    package let code: Code
    /// For the log; empty when it was logged already.
    package let text: String

    package init(_ code: Code, _ text: String) {
        self.code = code
        self.text = text
    }
}
