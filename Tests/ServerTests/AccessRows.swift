import Engine
import Relay

@testable import Server

/// What a request is about: something that exists, or nothing.
struct AccessTarget {
  var workspace: String
  var message: String
  /// One that was sent with a key of the org.
  var orgMessage: String
  var org: String
  var key: String
  var token: String
}

/// Who may use a route, and how it answers those.
struct AccessRow: Sendable {
  enum Access: Equatable {
    /// Everybody, without a credential.
    case everybody
    /// Who may call the workspace.
    case callers
    /// The workspace's own token.
    case agent
    /// The same, the relay's operator, and its org's with this scope.
    case agentOrOperators(RegisteredToken.Scopes)
    /// Any agent, about itself.
    case anyAgent
    /// Whoever has a credential that counts.
    case known
    /// The relay's operator, and keys of the workspace's org with this scope.
    case operators(RegisteredToken.Scopes)
    /// The same of the org that is named.
    case orgs(RegisteredToken.Scopes)
    /// The same of any org: what is asked for is its own.
    case anyOrg(RegisteredToken.Scopes)
    /// The relay's operator.
    case relay
    /// Who has sent the message, and the relay's operator.
    case sender
    /// The same of a message that an org's key has sent: all its keys that may send.
    case orgSender
  }

  var kind: RouteKind
  var path: @Sendable (AccessTarget) -> String
  /// How each method answers those who may; the methods are the route's own.
  var answers: [String: Int]
  var access: @Sendable (String) -> Access
  var body: @Sendable (AccessTarget) -> String = { _ in "{}" }

  init(
    _ kind: RouteKind, _ path: @escaping @Sendable (AccessTarget) -> String,
    _ answers: [String: Int],
    _ access: Access, body: @escaping @Sendable (AccessTarget) -> String = { _ in "{}" }
  ) {
    self.init(kind, path, answers, by: { _ in access }, body: body)
  }

  init(
    _ kind: RouteKind, _ path: @escaping @Sendable (AccessTarget) -> String,
    _ answers: [String: Int],
    by access: @escaping @Sendable (String) -> Access,
    body: @escaping @Sendable (AccessTarget) -> String = { _ in "{}" }
  ) {
    self.kind = kind
    self.path = path
    self.answers = answers
    self.access = access
    self.body = body
  }

  private static func isRead(_ method: String) -> Bool { method == "GET" || method == "HEAD" }

  /// What changes most comes last: its own token goes with the tokens, and then all of it.
  static let all: [AccessRow] =
    callers + agents + platform + workspaces + archives + queues + credentials
    + others + [workspace]

  private static let callers: [AccessRow] = [
    AccessRow(
      .call, { "/w/\($0.workspace)/" }, ["POST": 200, "OPTIONS": 204],
      by: { $0 == "OPTIONS" ? .everybody : .callers },
      body: { _ in RelayScene.message(messageID: "table") }),
    AccessRow(
      .rest, { "/w/\($0.workspace)/v1/message:send" }, ["POST": 501, "GET": 501], .callers),
    AccessRow(.nothing, { "/w/\($0.workspace)/x" }, ["GET": 404, "DELETE": 404], .callers),
    AccessRow(.callerMessage, { "/messages/\($0.message)" }, ["GET": 200, "HEAD": 200], .sender),
    AccessRow(
      .callerMessage, { "/messages/\($0.orgMessage)" }, ["GET": 200, "HEAD": 200], .orgSender),
  ]

  private static let agents: [AccessRow] =
    [
      AccessRow(.batch, { "/workspaces/\($0.workspace)/inbox/batch" }, ["POST": 200], .agent),
      AccessRow(.inbox, { "/workspaces/\($0.workspace)/inbox?wait=0" }, ["GET": 200], .agent),
      AccessRow(
        .register, { _ in "/registry/register" }, ["POST": 200], .agentOrOperators(.admin),
        body: { "{\"id\":\"\($0.workspace)\",\"agent_card\":{\"name\":\"Ada\"}}" }),
      AccessRow(
        .heartbeat, { _ in "/registry/heartbeat" }, ["POST": 200], .agent,
        body: { "{\"workspace_id\":\"\($0.workspace)\"}" }),
    ]
    + Route.Verb.allCases.map { verb in
      // The lease is none of its own: the right credential gets past the door and no further.
      AccessRow(
        .verb, { "/workspaces/\($0.workspace)/inbox/\($0.message)/\(verb.rawValue)" },
        ["POST": 409], .agent, body: { _ in "{\"lease\":\"L1\",\"text\":\"stolen\"}" })
    }

  private static let platform: [AccessRow] = [
    AccessRow(
      .a2a, { "/workspaces/\($0.workspace)/a2a" }, ["POST": 200], .callers,
      body: { _ in RelayScene.message(messageID: "platform") }),
    AccessRow(
      .a2a, { _ in "/a2a" }, ["POST": 200], .known,
      body: { _ in RelayScene.message(messageID: "platform-2") }),
    AccessRow(
      .queueItem, { "/workspaces/\($0.workspace)/a2a/queue/\($0.message)" },
      ["GET": 200, "HEAD": 200], .sender),
    AccessRow(
      .queueItem, { "/workspaces/\($0.workspace)/a2a/queue/\($0.orgMessage)" },
      ["GET": 200, "HEAD": 200], .orgSender),
    AccessRow(
      .secrets, { "/workspaces/\($0.workspace)/secrets" },
      ["GET": 200, "HEAD": 200, "POST": 200, "PUT": 200],
      by: { isRead($0) ? .agentOrOperators(.read) : .operators(.admin) },
      body: { _ in "{\"key\":\"KEY\",\"value\":\"x\"}" }),
    AccessRow(.secrets, { _ in "/secrets" }, ["GET": 200, "HEAD": 200], .anyAgent),
    AccessRow(
      .secretValues, { "/workspaces/\($0.workspace)/secrets/values" },
      ["GET": 200, "HEAD": 200], .agent),
    AccessRow(.secretValues, { _ in "/secrets/values" }, ["GET": 200, "HEAD": 200], .anyAgent),
    AccessRow(
      .secret, { "/workspaces/\($0.workspace)/secrets/KEY" }, ["DELETE": 200],
      .operators(.admin)),
    AccessRow(
      .state, { "/workspaces/\($0.workspace)/state" }, ["GET": 200, "HEAD": 200],
      .agentOrOperators(.read)),
    AccessRow(
      .updateCard, { _ in "/registry/update-card" }, ["POST": 200], .agent,
      body: { "{\"workspace_id\":\"\($0.workspace)\",\"agent_card\":{\"name\":\"Bob\"}}" }),
  ]

  private static let workspaces: [AccessRow] = [
    AccessRow(
      .workspaces, { _ in "/workspaces" }, ["GET": 200, "HEAD": 200, "POST": 201],
      by: { .anyOrg(isRead($0) ? .read : .admin) }),
    // It is there: to be let in is to hear that.
    AccessRow(
      .restore, { "/workspaces/\($0.workspace)/restore" }, ["POST": 409], .operators(.admin)),
    AccessRow(
      .timeline, { "/workspaces/\($0.workspace)/messages/\($0.message)" },
      ["GET": 200, "HEAD": 200], .operators(.read)),
  ]

  private static let workspace = AccessRow(
    .workspace, { "/workspaces/\($0.workspace)" },
    ["GET": 200, "HEAD": 200, "PATCH": 200, "DELETE": 200],
    by: { .operators(isRead($0) ? .read : .admin) }, body: { _ in "{\"name\":\"changed\"}" })

  private static let queues: [AccessRow] =
    [
      AccessRow(
        .queue, { "/workspaces/\($0.workspace)/queue" }, ["GET": 200, "HEAD": 200],
        .operators(.read)),
      AccessRow(
        .messages, { "/workspaces/\($0.workspace)/messages" }, ["GET": 200, "HEAD": 200],
        .operators(.read)),
      // It is not dead: whoever is let in hears that.
      AccessRow(
        .messageVerb, { "/workspaces/\($0.workspace)/messages/\($0.message)/redrive" },
        ["POST": 409], .operators(.admin)),
      AccessRow(.pause, { "/workspaces/\($0.workspace)/pause" }, ["POST": 200], .operators(.admin)),
      AccessRow(
        .resume, { "/workspaces/\($0.workspace)/resume" }, ["POST": 200], .operators(.admin)),
    ]
    + JobRow.Verb.allCases.map { verb in
      AccessRow(
        .manyMessages, { "/workspaces/\($0.workspace)/\(verb.name)" }, ["POST": 202],
        .operators(.admin), body: { _ in "{\"state\":\"dead\"}" })
    }
    + [
      AccessRow(
        .jobs, { "/workspaces/\($0.workspace)/jobs" }, ["GET": 200, "HEAD": 200],
        .operators(.read)),
      // One of those that the rows before have made.
      AccessRow(
        .job, { "/workspaces/\($0.workspace)/jobs/1" },
        ["GET": 200, "HEAD": 200, "DELETE": 200],
        by: { .operators(isRead($0) ? .read : .admin) }),
    ]

  /// With a directory that is none: whoever is let in gets no further.
  private static let archives: [AccessRow] = [
    AccessRow(
      .backup, { _ in "/admin/backup" }, ["GET": 200, "HEAD": 200, "POST": 400], .relay,
      body: { _ in "{\"dir\":\"backup\"}" }),
    AccessRow(
      .importing, { _ in "/admin/import" }, ["POST": 400], .relay,
      body: { _ in "{\"dir\":\"export\"}" }),
  ]

  private static let credentials: [AccessRow] = [
    AccessRow(
      .orgs, { _ in "/orgs" }, ["GET": 200, "HEAD": 200, "POST": 201], .relay,
      body: { _ in "{\"id\":\"new\"}" }),
    AccessRow(.audit, { _ in "/admin/audit" }, ["GET": 200, "HEAD": 200], .relay),
    AccessRow(
      .keys, { "/org/tokens?org=\($0.org)" }, ["GET": 200, "HEAD": 200, "POST": 201],
      .orgs(.admin), body: { "{\"org\":\"\($0.org)\",\"scopes\":[\"admin\"]}" }),
    AccessRow(.key, { "/org/tokens/\($0.key)" }, ["DELETE": 200], .orgs(.admin)),
    AccessRow(
      .adminTokens, { "/admin/workspaces/\($0.workspace)/tokens" }, ["POST": 201],
      .operators(.admin)),
    AccessRow(
      .rotation, { "/workspaces/\($0.workspace)/tokens/rotate" }, ["POST": 201],
      .agentOrOperators(.admin)),
    AccessRow(
      .token, { "/workspaces/\($0.workspace)/tokens/\($0.token)" }, ["DELETE": 200],
      .operators(.admin)),
    AccessRow(
      .tokens, { "/workspaces/\($0.workspace)/tokens" },
      ["GET": 200, "HEAD": 200, "POST": 201, "DELETE": 200],
      by: { .operators(isRead($0) ? .read : .admin) }),
  ]

  private static let others: [AccessRow] = [
    AccessRow(
      .card, { "/w/\($0.workspace)/.well-known/agent-card.json" },
      ["GET": 200, "HEAD": 200, "OPTIONS": 204], .everybody),
    AccessRow(.health, { _ in "/health" }, ["GET": 200, "HEAD": 200], .everybody),
    AccessRow(.ready, { _ in "/ready" }, ["GET": 200, "HEAD": 200], .everybody),
    AccessRow(.metrics, { _ in "/metrics" }, ["GET": 200, "HEAD": 200], .anyOrg(.read)),
    AccessRow(.status, { _ in "/admin/status" }, ["GET": 200, "HEAD": 200], .relay),
    AccessRow(
      .messageOwner, { "/admin/messages/\($0.message)" }, ["GET": 200, "HEAD": 200],
      .operators(.read)),
    AccessRow(
      .activity, { "/workspaces/\($0.workspace)/activity" }, ["GET": 501], .everybody),
    AccessRow(
      .unsupported, { "/registry/discover/\($0.workspace)" }, ["GET": 501], .everybody),
    AccessRow(.badID, { _ in "/workspaces/x/inbox" }, ["GET": 404], .everybody),
    AccessRow(.none, { _ in "/nowhere" }, ["GET": 404], .everybody),
  ]
}
