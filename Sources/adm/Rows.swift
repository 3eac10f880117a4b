internal import ArgumentParser

/// Rows of named columns, and the forms in which administrators and their scripts want them (operations.md 7).
struct Rows {
    enum Form: String, CaseIterable { case table, tab, json, flow, pager }

    let columns: [String]
    private(set) var rows: [[String]] = []

    init(_ columns: String...) { self.columns = columns }

    mutating func add(_ values: String...) { rows.append(values) }

    /// The form that the command line names; an unknown one is a usage error.
    static func form(_ name: String?, default fallback: Form) throws -> Form {
        guard let name else { return fallback }
        guard let form = Form(rawValue: name) else {
            throw Output.fatal("Unknown formatter: \(name) (known: \(Form.allCases.map(\.rawValue).joined(separator: ", ")))", Exit.usage)
        }
        return form
    }

    func text(_ form: Form) -> String {
        switch form {
        case .table: table
        case .tab: ([columns] + rows).map { $0.map(Self.tabEscaped).joined(separator: "\t") + "\n" }.joined()
        case .json: json
        case .flow: rows.map { zip(columns, $0).map { "\($0)=\($1)" }.joined(separator: " ") + "\n" }.joined()
        case .pager: rows.map { zip(columns, $0).map { "\($0): \($1)\n" }.joined() + "\u{0c}\n" }.joined()
        }
    }

    private var table: String {
        let all = [columns] + rows
        let widths = columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = row.enumerated().map { index, cell in
                index == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
            }
            return cells.joined(separator: " ") + "\n"
        }.joined()
    }

    private var json: String {
        let objects = rows.map { row in
            "{" + zip(columns, row).map { "\(Self.quoted($0)):\(Self.quoted($1))" }.joined(separator: ",") + "}"
        }
        return "[" + objects.joined(separator: ",") + "]"
    }

    private static func tabEscaped(_ text: String) -> String {
        String(text.map { $0 == "\t" || $0 == "\n" ? " " : $0 })
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            default:
                if scalar.value < 0x20 {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}
