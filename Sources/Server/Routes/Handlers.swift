import Engine

/// The handlers of all routes, by what they are about. A line of `RouteTable` names one of them.
final class Handlers {
  let callers: CallerRoutes
  let platformCalls: PlatformCallRoutes
  let inbox: InboxRoutes
  let agents: AgentRoutes
  let secrets: SecretRoutes
  let workspaces: WorkspaceRoutes
  let queues: QueueRoutes
  let tokens: TokenRoutes
  let orgs: OrgRoutes
  let archives: ArchiveRoutes
  let status: StatusRoutes

  init(
    _ engine: Engine, _ calls: OpenCalls, _ gate: Gate, _ status: StatusRoutes,
    registration: RegistrationMode
  ) {
    callers = CallerRoutes(engine: engine, calls: calls)
    platformCalls = PlatformCallRoutes(engine: engine, calls: calls, gate: gate)
    inbox = InboxRoutes(engine: engine, calls: calls)
    agents = AgentRoutes(engine: engine, calls: calls, registration: registration)
    secrets = SecretRoutes(engine: engine, calls: calls)
    workspaces = WorkspaceRoutes(engine: engine, calls: calls)
    queues = QueueRoutes(engine: engine, calls: calls)
    tokens = TokenRoutes(engine: engine, calls: calls)
    orgs = OrgRoutes(engine: engine, calls: calls)
    archives = ArchiveRoutes(engine: engine, calls: calls)
    self.status = status
  }
}
