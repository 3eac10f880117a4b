internal import Platform

// What other programs should not have done (reference/storage.md 10).
extension FolderScan {
    /// Puts right what a scan found wrong: then all files that need a UID are among the unknown ones.
    func repair(_ result: inout ScanResult) throws(StoreError) {
        for file in result.nameless {
            if let fixed = try renamed(file.name, file.place, why: "Fixed broken filename") { result.unknown.append(fixed[...], .new) }
        }
        for duplicate in result.duplicates {
            if let fixed = try separated(duplicate.slot, duplicate.name, duplicate.place) { result.unknown.append(fixed[...], .new) }
        }
    }

    /// Two files have the same base name. Other contents: the second gets a new name. Only another name of the same file: the second name goes.
    private func separated(_ slot: Int, _ name: [UInt8], _ place: MessagePlace) throws(StoreError) -> [UInt8]? {
        let first = table.name(of: slot)
        let firstFolder = folder.folder(table.entries[slot].place)
        guard let one = try firstFolder.status(of: first[...]), let two = try folder.folder(place).status(of: name[...]) else {
            // A rename during the scan made one file look like two.
            curState.forget()
            return nil
        }
        if one.isSameFile(as: two) {
            let age = ScannedDirectory.now - max(one.changed, two.changed)
            guard age > 30_000_000_000 else { return nil }
            store.options.log(.warning, "Unlinked a duplicate: \(folder.folder(place).path)/\(String(decoding: name, as: UTF8.self))")
            try folder.folder(place).remove(name[...])
            return nil
        }
        return try renamed(name, place, why: "Fixed a duplicate")
    }

    /// Gives a file a new unique name in new/, keeping its sizes; answers it, or nil when the file is gone.
    private func renamed(_ name: [UInt8], _ place: MessagePlace, why: String) throws(StoreError) -> [UInt8]? {
        let newName = store.uniqueName(sizesOf: name)
        let source = folder.folder(place)
        do throws(SystemError) {
            try source.directory.rename(name[...], to: folder.new.directory, as: newName[...], replacing: false)
        } catch {
            if error.isNotFound { return nil }
            throw source.failure(error, name[...])
        }
        store.options.log(
            .warning, "\(why): \(source.path)/\(String(decoding: name, as: UTF8.self)) -> \(String(decoding: newName, as: UTF8.self))")
        return newName
    }
}
