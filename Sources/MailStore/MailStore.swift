internal import Index

/// Where sessions and deliveries get their mail from.
package enum MailStore {
    /// Does what a confined process cannot (reading the boot id): call it before.
    package static func prepare() { Index.prepare() }

    /// Opens a user's mail; creates the root when it is missing.
    /// Throws `.unavailable` when a path needs a home and there is none, or when the namespaces contradict each other.
    package static func open(
        location: MailLocation, home: String?, options: StoreOptions = StoreOptions()
    ) throws(StoreError) -> any MailDriver {
        switch location.driver {
        case .maildir: try MaildirStore(location: location, home: home, options: options)
        }
    }
}
