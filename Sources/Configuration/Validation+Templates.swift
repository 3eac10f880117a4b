internal import Variables

extension Validation {
    /// Every text with variables must be readable now, not when the first user comes.
    mutating func checkTemplates() {
        for assignment in document.assignments {
            let isField = assignment.path.last == "fields"
            let isOldFields = ["default_fields", "override_fields", "args"].contains(assignment.name) && assignment.path.count == 2
            guard isField || isOldFields || assignment.setting?.type == .template else { continue }
            do throws(TemplateError) {
                _ = try Template(assignment.value, dialect: document.dialect == .v23 ? .letters : .pipelines)
            } catch {
                report(error, assignment)
            }
        }
    }

    private mutating func report(_ error: TemplateError, _ assignment: Assignment) {
        let text = "\(assignment.name): \(error.message)"
        if error.isUnsupported {
            log.warning("\(text): whatever needs it fails", at: assignment.valueLocation)
        } else {
            log.error(
                text, at: assignment.valueLocation,
                expected: document.dialect == .v23 ? "variables such as %u or %{user}" : "variables such as %{user | username}")
        }
    }
}
