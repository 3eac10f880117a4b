internal import IPCProtocol
internal import Platform
internal import ServiceKit

/// Limits that cannot hold under the load that the configuration permits (services.md 11): told at start, before anybody suffers.
enum LimitCheck {
    static func warnings(_ plan: Plan) -> [String] {
        var warnings: [String] = []
        descriptors(plan, &warnings)
        for service in plan.services where service.plan.protocolName != "" && service.plan.type != "login" {
            let limits = service.plan
            if limits.clientLimit > 1 {
                warnings.append(
                    "service(\(limits.name)): client_limit=\(limits.clientLimit) is treated as 1: a mail process serves one client at a time, so that "
                        + "a slow disk never makes others wait. Set client_limit = 1, and process_limit to the number of sessions you need")
            }
            if limits.requestLimit != 1 {
                warnings.append(
                    "service(\(limits.name)): service_count=\(limits.requestLimit == 0 ? "unlimited" : String(limits.requestLimit)) gives up confinement "
                        + "per user: a process serves several sessions of one uid, one after the other, and can reach the mail of all users with that uid"
                )
            }
        }
        needs(plan, of: "auth", base: 0, &warnings) { $0.protocolName != "" && ($0.requestLimit != 1 || $0.type == "login") }
        needs(plan, of: "anvil", base: 2, &warnings) { $0.type == "login" || $0.name == "auth" }
        return warnings
    }

    private static func descriptors(_ plan: Plan, _ warnings: inout [String]) {
        let hard = ResourceLimit.descriptors.current.hard
        guard let largest = plan.services.max(by: { $0.plan.clientLimit < $1.plan.clientLimit })?.plan, UInt64(largest.clientLimit) > hard
        else {
            return
        }
        warnings.append(
            "fd limit (ulimit -n) is lower than required under max. load (\(hard) < \(largest.clientLimit)), because of service \(largest.name) "
                + "{ client_limit }. Raise it: LimitNOFILE= of the systemd unit, or ulimit -n before start")
    }

    private static func needs(
        _ plan: Plan, of name: String, base: Int, _ warnings: inout [String], by counts: (ServicePlan) -> Bool
    ) {
        guard let own = plan[name]?.plan else { return }
        let users = plan.services.map(\.plan).filter(counts)
        let need = users.reduce(base) { $0 + Int($1.processLimit) }
        guard Int(own.clientLimit) < need else { return }
        let sum = users.map { "service \($0.name) { process_limit=\($0.processLimit) }" }.joined(separator: " + ")
        warnings.append(
            "service \(name) { client_limit=\(own.clientLimit) } is lower than required under max. load (\(need)). Counted with: \(sum)")
    }
}
