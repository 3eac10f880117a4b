/// The directions in which something travels with every login, compiled for their types in this module.
///
/// Called from another module, the generic functions find their types out at run time. That takes time, and the runtime notes what it found last in tables
/// that a zygote shares with all its workers: each such note costs a page of memory per session.
extension Channel {
    package func send(_ message: AnvilToService, request: UInt32 = 0, descriptors: [Int32] = []) throws(ChannelError) {
        try post(message, request, descriptors)
    }

    package func receive(_ type: AnvilToService.Type, wait: Bool = false) throws(ChannelError) -> Received<AnvilToService>? {
        try next(type, wait: wait)
    }

    package func send(_ message: AuthToLogin, request: UInt32 = 0, descriptors: [Int32] = []) throws(ChannelError) {
        try post(message, request, descriptors)
    }

    package func receive(_ type: AuthToLogin.Type, wait: Bool = false) throws(ChannelError) -> Received<AuthToLogin>? {
        try next(type, wait: wait)
    }

    package func send(_ message: AuthToZygote, request: UInt32 = 0, descriptors: [Int32] = []) throws(ChannelError) {
        try post(message, request, descriptors)
    }

    package func receive(_ type: AuthToZygote.Type, wait: Bool = false) throws(ChannelError) -> Received<AuthToZygote>? {
        try next(type, wait: wait)
    }

    package func send(_ message: LoginToAuth, request: UInt32 = 0, descriptors: [Int32] = []) throws(ChannelError) {
        try post(message, request, descriptors)
    }

    package func receive(_ type: LoginToAuth.Type, wait: Bool = false) throws(ChannelError) -> Received<LoginToAuth>? {
        try next(type, wait: wait)
    }

    package func send(_ message: LoginToMail, request: UInt32 = 0, descriptors: [Int32] = []) throws(ChannelError) {
        try post(message, request, descriptors)
    }

    package func receive(_ type: LoginToMail.Type, wait: Bool = false) throws(ChannelError) -> Received<LoginToMail>? {
        try next(type, wait: wait)
    }

    package func send(_ message: MailToLogin, request: UInt32 = 0, descriptors: [Int32] = []) throws(ChannelError) {
        try post(message, request, descriptors)
    }

    package func receive(_ type: MailToLogin.Type, wait: Bool = false) throws(ChannelError) -> Received<MailToLogin>? {
        try next(type, wait: wait)
    }

    package func send(_ message: ServiceToAnvil, request: UInt32 = 0, descriptors: [Int32] = []) throws(ChannelError) {
        try post(message, request, descriptors)
    }

    package func receive(_ type: ServiceToAnvil.Type, wait: Bool = false) throws(ChannelError) -> Received<ServiceToAnvil>? {
        try next(type, wait: wait)
    }

    package func send(_ message: WatcherToWorker, request: UInt32 = 0, descriptors: [Int32] = []) throws(ChannelError) {
        try post(message, request, descriptors)
    }

    package func receive(_ type: WatcherToWorker.Type, wait: Bool = false) throws(ChannelError) -> Received<WatcherToWorker>? {
        try next(type, wait: wait)
    }

    package func send(_ message: WorkerToWatcher, request: UInt32 = 0, descriptors: [Int32] = []) throws(ChannelError) {
        try post(message, request, descriptors)
    }

    package func receive(_ type: WorkerToWatcher.Type, wait: Bool = false) throws(ChannelError) -> Received<WorkerToWatcher>? {
        try next(type, wait: wait)
    }

    package func send(_ message: WorkerToZygote, request: UInt32 = 0, descriptors: [Int32] = []) throws(ChannelError) {
        try post(message, request, descriptors)
    }

    package func receive(_ type: WorkerToZygote.Type, wait: Bool = false) throws(ChannelError) -> Received<WorkerToZygote>? {
        try next(type, wait: wait)
    }

    package func send(_ message: ZygoteToAuth, request: UInt32 = 0, descriptors: [Int32] = []) throws(ChannelError) {
        try post(message, request, descriptors)
    }

    package func receive(_ type: ZygoteToAuth.Type, wait: Bool = false) throws(ChannelError) -> Received<ZygoteToAuth>? {
        try next(type, wait: wait)
    }

    package func send(_ message: ZygoteToWorker, request: UInt32 = 0, descriptors: [Int32] = []) throws(ChannelError) {
        try post(message, request, descriptors)
    }

    package func receive(_ type: ZygoteToWorker.Type, wait: Bool = false) throws(ChannelError) -> Received<ZygoteToWorker>? {
        try next(type, wait: wait)
    }

    package func send(_ message: ZygoteToZygote, request: UInt32 = 0, descriptors: [Int32] = []) throws(ChannelError) {
        try post(message, request, descriptors)
    }

    package func receive(_ type: ZygoteToZygote.Type, wait: Bool = false) throws(ChannelError) -> Received<ZygoteToZygote>? {
        try next(type, wait: wait)
    }
}
