internal import CCrypt

/// The hash functions of the system's libraries; the only file here that hands memory to C.
enum Hash {
    /// Whether crypt(3) makes `stored` from `given`.
    static func crypt(_ given: [UInt8], is stored: [UInt8]) throws(PasswordError) -> Bool {
        guard !given.contains(0), !stored.contains(0) else { return false }
        // 32 KiB of working memory, set to zero as crypt_r(3) wants it.
        let work = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        unsafe work.initialize(to: crypt_data())
        defer {
            unsafe UnsafeMutableRawPointer(work).initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<crypt_data>.size)
            unsafe work.deallocate()
        }
        var phrase = given.map { CChar(bitPattern: $0) } + [0]
        defer { for index in phrase.indices { phrase[index] = 0 } }
        let setting = stored.map { CChar(bitPattern: $0) } + [0]
        guard let found = unsafe crypt_r(phrase, setting, work) else { throw .hashing("crypt() failed: the stored hash is not valid") }
        var made: [UInt8] = []
        var next = unsafe found
        while unsafe next.pointee != 0, made.count < 1_024 {
            made.append(unsafe UInt8(bitPattern: next.pointee))
            unsafe next += 1
        }
        // "*0" and "*1" are crypt's way to say that it does not know the hash.
        guard made.first != UInt8(ascii: "*") else { throw .hashing("crypt() failed: the stored hash is not valid") }
        return isEqualInConstantTime(made, stored)
    }

    /// Whether ARGON2 makes the stored digest from `given`. Lanes are computed one after the other: libargon2 would start threads for them.
    static func argon2(_ given: [UInt8], is stored: ArgonHash) throws(PasswordError) -> Bool {
        var made = [UInt8](repeating: 0, count: stored.digest.count)
        var password = given
        var salt = stored.salt
        let result = unsafe made.withUnsafeMutableBufferPointer { out in
            unsafe password.withUnsafeMutableBufferPointer { secret in
                unsafe salt.withUnsafeMutableBufferPointer { salt in
                    var context = unsafe argon2_context()
                    unsafe context.out = out.baseAddress
                    unsafe context.outlen = UInt32(out.count)
                    unsafe context.pwd = secret.baseAddress
                    unsafe context.pwdlen = UInt32(secret.count)
                    unsafe context.salt = salt.baseAddress
                    unsafe context.saltlen = UInt32(salt.count)
                    unsafe context.t_cost = stored.passes
                    unsafe context.m_cost = stored.memory
                    unsafe context.lanes = stored.lanes
                    unsafe context.threads = 1
                    unsafe context.version = stored.version
                    return unsafe argon2_ctx(&context, stored.kind == "argon2i" ? Argon2_i : Argon2_id)
                }
            }
        }
        for index in password.indices { password[index] = 0 }
        guard result == ARGON2_OK.rawValue else { throw .hashing("argon2 failed: \(unsafe String(cString: argon2_error_message(result)))") }
        return isEqualInConstantTime(made, stored.digest)
    }
}
