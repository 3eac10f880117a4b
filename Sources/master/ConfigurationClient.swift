internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// A configuration as the config process gave it: services, each with its sealed settings.
final class Plan {
    final class Service {
        let plan: ServicePlan
        let settings: FileDescriptor
        var listeners: [PlannedListener] = []

        init(_ plan: ServicePlan, _ settings: consuming FileDescriptor) {
            self.plan = plan
            self.settings = settings
        }
    }

    fileprivate(set) var base = Settings(SettingsImage(blocks: []))
    fileprivate(set) var services: [Service] = []
    fileprivate(set) var protocols = ""
    fileprivate(set) var diagnostics: [ConfigDiagnostic] = []

    subscript(name: String) -> Service? { services.first { $0.plan.name == name } }
}

/// The config process, seen from master.
final class ConfigurationClient {
    enum Outcome {
        case loading
        case loaded(Plan)
        case invalid([ConfigDiagnostic])
        case failed(String)
    }

    let channel: Channel
    private let program: String
    private var hasGreeted = false
    /// It is of another build.
    private(set) var isRefused = false
    private var plan = Plan()

    /// `program`: its path, for messages.
    init(_ channel: Channel, program: String) {
        self.channel = channel
        self.program = program
    }

    /// Tells config who asks; before the first `load`.
    func greet() throws(ChannelError) { try channel.send(MasterToConfig.hello(.init(role: "master"))) }

    func load(path: String, overrides: [String]) throws(ChannelError) {
        plan = Plan()
        try channel.send(MasterToConfig.load(.init(path: path, overrides: overrides)), request: 1)
    }

    /// Takes what is there; with `wait` until everything is.
    func receive(wait: Bool) -> Outcome {
        do throws(ChannelError) {
            while var received = try channel.receive(ConfigToMaster.self, wait: wait) {
                if !hasGreeted {
                    var mismatch = BuildMismatch.instead(of: nil, from: program)
                    if case .hello(let hello) = received.message { mismatch = BuildMismatch.check(hello, of: program) }
                    if let mismatch {
                        isRefused = true
                        return .failed(mismatch.description)
                    }
                    hasGreeted = true
                }
                switch received.message {
                case .hello: break
                case .diagnostic(let diagnostic): plan.diagnostics.append(diagnostic)
                case .base:
                    guard let file = received.takeDescriptor() else { break }
                    do throws(StartFailure) { plan.base = try Settings(from: file) } catch { return .failed("config: \(error)") }
                case .service(let service):
                    if let file = received.takeDescriptor() { plan.services.append(Plan.Service(service, file)) }
                case .listener(let listener): plan.services.last?.listeners.append(listener)
                case .loaded(let result):
                    plan.protocols = result.protocols
                    return result.isValid ? .loaded(plan) : .invalid(plan.diagnostics)
                }
            }
            return .loading
        } catch {
            if case .refused(let reason) = error, !hasGreeted, let mismatch = BuildMismatch.instead(of: reason, from: program) {
                isRefused = true
                return .failed(mismatch.description)
            }
            return .failed("config process: \(error)")
        }
    }
}
