internal import Variables

/// What a session did, for the line in the log (reference/operations.md section 5).
struct IMAPStatistics: Equatable {
    var input: Int64 = 0
    var output: Int64 = 0
    /// Messages that got \Deleted, were expunged, came into the trash, were appended.
    var deleted = 0
    var expunged = 0
    var trashed = 0
    var autoexpunged = 0
    var appended = 0
    var fetchedHeaders = 0
    var fetchedHeaderBytes: Int64 = 0
    var fetchedBodies = 0
    var fetchedBodyBytes: Int64 = 0

    /// The variables of `imap_logout_format`.
    var variables: [String: String] {
        [
            "input": String(input), "output": String(output), "deleted": String(deleted), "expunged": String(expunged),
            "trashed": String(trashed), "autoexpunged": String(autoexpunged), "appended": String(appended),
            "fetch_hdr_count": String(fetchedHeaders), "fetch_hdr_bytes": String(fetchedHeaderBytes),
            "fetch_body_count": String(fetchedBodies), "fetch_body_bytes": String(fetchedBodyBytes),
        ]
    }

    /// Default of `imap_logout_format`.
    static let format =
        "in=%i out=%o deleted=%{deleted} expunged=%{expunged} trashed=%{trashed} hdr_count=%{fetch_hdr_count} "
        + "hdr_bytes=%{fetch_hdr_bytes} body_count=%{fetch_body_count} body_bytes=%{fetch_body_bytes}"
}

/// How a session ended, for its process to log.
struct IMAPSessionResult {
    var end: SessionEnd
    var statistics: IMAPStatistics
    /// What the client was doing, for ends that it did not ask for: `(UID FETCH finished 3.200 secs ago)`.
    var status: String
    /// What the client told with ID, as `name=value, …`; foreign bytes.
    var clientID: [UInt8]

    /// `Disconnected: Logged out in=12 out=34 … id=(name=x, version=y)`; without a format, or with one that cannot be expanded, without the
    /// numbers; without the id where the client told none.
    func logText(format: Template?) -> String {
        let text = endText(format: format)
        return clientID.isEmpty ? text : "\(text) id=(\(String(decoding: clientID, as: UTF8.self)))"
    }

    private func endText(format: Template?) -> String {
        var text = "Disconnected: \(end.reason)"
        if end != .loggedOut, !status.isEmpty { text += " \(status)" }
        guard let format else { return text }
        do throws(TemplateError) {
            let numbers = try format.expand(statistics.variables)
            return numbers.isEmpty ? text : "\(text) \(numbers)"
        } catch { return text }
    }
}
