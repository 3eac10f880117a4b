/// Why an index could not be used.
package enum IndexError: Error, Equatable {
    /// What was read makes no sense. The index is thrown away and made anew.
    case damaged(String)
    /// The system or the library refused: no space, no permission. The index stays in memory from then on.
    case unusable(String)

    package var text: String {
        switch self {
        case .damaged(let text), .unusable(let text): text
        }
    }
}
