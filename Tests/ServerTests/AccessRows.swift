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

  /// The pattern of its route in `RouteTable`, or a path that is no route.
  var pattern: String
  /// How each method answers those who may; the methods are those of the pattern.
  var answers: [String: Int]
  var access: @Sendable (String) -> Access
  /// What it is tried with; else the pattern with the target's ids.
  var ownPath: (@Sendable (AccessTarget) -> String)?
  var body: @Sendable (AccessTarget) -> String
  /// How many lines of the audit a change leaves.
  var lines: Int

  init(
    _ pattern: String, _ answers: [String: Int], _ access: Access, lines: Int = 1,
    at path: (@Sendable (AccessTarget) -> String)? = nil,
    body: @escaping @Sendable (AccessTarget) -> String = { _ in "{}" }
  ) {
    self.init(pattern, answers, by: { _ in access }, lines: lines, at: path, body: body)
  }

  init(
    _ pattern: String, _ answers: [String: Int], by access: @escaping @Sendable (String) -> Access,
    lines: Int = 1, at path: (@Sendable (AccessTarget) -> String)? = nil,
    body: @escaping @Sendable (AccessTarget) -> String = { _ in "{}" }
  ) {
    self.pattern = pattern
    self.answers = answers
    self.access = access
    self.lines = lines
    ownPath = path
    self.body = body
  }

  func path(_ target: AccessTarget) -> String {
    if let ownPath { return ownPath(target) }
    let named = pattern.hasPrefix("/org/") ? target.key : target.token
    return pattern.replacing("{?", with: "{").replacing("{id}", with: target.workspace)
      .replacing("{message}", with: target.message).replacing("{job}", with: "1")
      .replacing("{name}", with: named).replacing("{key}", with: "KEY")
      .replacing("**", with: "x").replacing("*", with: target.workspace)
  }

  private static func isRead(_ method: String) -> Bool { method == "GET" || method == "HEAD" }

  private static let read = ["GET": 200, "HEAD": 200]

  /// What changes most comes last: its own token goes with the tokens, and then all of it.
  static let all: [AccessRow] =
    callers + agents + platform + workspaces + archives + queues + credentials
    + others + [workspace]

  private static let callers: [AccessRow] = [
    AccessRow(
      "/w/{id}/", ["POST": 200, "OPTIONS": 204],
      by: { $0 == "OPTIONS" ? .everybody : .callers }, lines: 0,
      body: { _ in RelayScene.message(messageID: "table") }),
    AccessRow("/w/{id}/v1/message:send/**", ["POST": 501, "GET": 501], .callers, lines: 0),
    AccessRow("/w/{id}/**", ["GET": 404, "DELETE": 404], .callers, lines: 0),
    AccessRow("/messages/{message}", read, .sender),
    AccessRow("/messages/{message}", read, .orgSender, at: { "/messages/\($0.orgMessage)" }),
  ]

  private static let agents: [AccessRow] =
    [
      AccessRow("/workspaces/{id}/inbox/batch", ["POST": 200], .agent, lines: 0),
      AccessRow(
        "/workspaces/{id}/inbox", ["GET": 200], .agent,
        at: { "/workspaces/\($0.workspace)/inbox?wait=0" }),
      AccessRow(
        "/registry/register", ["POST": 200], .agentOrOperators(.admin),
        body: { "{\"id\":\"\($0.workspace)\",\"agent_card\":{\"name\":\"Ada\"}}" }),
      AccessRow(
        "/registry/heartbeat", ["POST": 200], .agent, lines: 0,
        body: { "{\"workspace_id\":\"\($0.workspace)\"}" }),
    ]
    + InboxAction.allCases.map { action in
      // The lease is none of its own: the right credential gets past the door and no further.
      AccessRow(
        "/workspaces/{id}/inbox/{message}/\(action.rawValue)", ["POST": 409], .agent, lines: 0,
        body: { _ in "{\"lease\":\"L1\",\"text\":\"stolen\"}" })
    }

  private static let platform: [AccessRow] = [
    AccessRow(
      "/workspaces/{id}/a2a", ["POST": 200], .callers, lines: 0,
      body: { _ in RelayScene.message(messageID: "platform") }),
    AccessRow(
      "/a2a", ["POST": 200], .known, lines: 0,
      body: { _ in RelayScene.message(messageID: "platform-2") }),
    AccessRow("/workspaces/{id}/a2a/queue/{message}", read, .sender),
    AccessRow(
      "/workspaces/{id}/a2a/queue/{message}", read, .orgSender,
      at: { "/workspaces/\($0.workspace)/a2a/queue/\($0.orgMessage)" }),
    AccessRow(
      "/workspaces/{id}/secrets", ["GET": 200, "HEAD": 200, "POST": 200, "PUT": 200],
      by: { isRead($0) ? .agentOrOperators(.read) : .operators(.admin) },
      body: { _ in "{\"key\":\"KEY\",\"value\":\"x\"}" }),
    AccessRow("/secrets", read, .anyAgent),
    AccessRow("/workspaces/{id}/secrets/values", read, .agent),
    AccessRow("/secrets/values", read, .anyAgent),
    AccessRow("/workspaces/{id}/secrets/{key}", ["DELETE": 200], .operators(.admin)),
    AccessRow("/workspaces/{id}/state", read, .agentOrOperators(.read)),
    AccessRow(
      "/registry/update-card", ["POST": 200], .agent,
      body: { "{\"workspace_id\":\"\($0.workspace)\",\"agent_card\":{\"name\":\"Bob\"}}" }),
  ]

  private static let workspaces: [AccessRow] = [
    AccessRow(
      "/workspaces", ["GET": 200, "HEAD": 200, "POST": 201],
      by: { .anyOrg(isRead($0) ? .read : .admin) }),
    // It is there: to be let in is to hear that.
    AccessRow("/workspaces/{id}/restore", ["POST": 409], .operators(.admin), lines: 0),
    AccessRow("/workspaces/{id}/messages/{message}", read, .operators(.read)),
  ]

  private static let workspace = AccessRow(
    "/workspaces/{id}", ["GET": 200, "HEAD": 200, "PATCH": 200, "DELETE": 200],
    by: { .operators(isRead($0) ? .read : .admin) }, body: { _ in "{\"name\":\"changed\"}" })

  private static let queues: [AccessRow] =
    [
      AccessRow("/workspaces/{id}/queue", read, .operators(.read)),
      AccessRow("/workspaces/{id}/messages", read, .operators(.read)),
      // It is not dead: whoever is let in hears that, and two lines are left.
      AccessRow(
        "/workspaces/{id}/messages/{message}/redrive", ["POST": 409], .operators(.admin), lines: 2),
      AccessRow(
        "/workspaces/{id}/messages/{message}/replay", ["POST": 409], .operators(.admin), lines: 2),
      AccessRow(
        "/workspaces/{id}/messages/{message}/cancel", ["POST": 200], .operators(.admin)),
      AccessRow("/workspaces/{id}/pause", ["POST": 200], .operators(.admin)),
      AccessRow("/workspaces/{id}/resume", ["POST": 200], .operators(.admin)),
    ]
    + JobRow.Verb.allCases.map { verb in
      AccessRow(
        "/workspaces/{id}/\(verb.name)", ["POST": 202], .operators(.admin),
        body: { _ in "{\"state\":\"dead\"}" })
    }
    + [
      AccessRow("/workspaces/{id}/jobs", read, .operators(.read)),
      // One of those that the rows before have made: of one that has ended nothing is left.
      AccessRow(
        "/workspaces/{id}/jobs/{job}", ["GET": 200, "HEAD": 200, "DELETE": 200],
        by: { .operators(isRead($0) ? .read : .admin) }, lines: 0),
    ]

  /// With a directory that is none: whoever is let in gets no further.
  private static let archives: [AccessRow] = [
    AccessRow(
      "/admin/backup", ["GET": 200, "HEAD": 200, "POST": 400], .relay, lines: 0,
      body: { _ in "{\"dir\":\"backup\"}" }),
    AccessRow(
      "/admin/import", ["POST": 400], .relay, lines: 0, body: { _ in "{\"dir\":\"export\"}" }),
  ]

  private static let credentials: [AccessRow] = [
    AccessRow(
      "/orgs", ["GET": 200, "HEAD": 200, "POST": 201], .relay, body: { _ in "{\"id\":\"new\"}" }),
    AccessRow("/admin/audit", read, .relay),
    AccessRow(
      "/org/tokens", ["GET": 200, "HEAD": 200, "POST": 201], .orgs(.admin),
      at: { "/org/tokens?org=\($0.org)" },
      body: { "{\"org\":\"\($0.org)\",\"scopes\":[\"admin\"]}" }),
    AccessRow("/org/tokens/{name}", ["DELETE": 200], .orgs(.admin)),
    AccessRow("/admin/workspaces/{?id}/tokens", ["POST": 201], .operators(.admin)),
    AccessRow("/workspaces/{id}/tokens/rotate", ["POST": 201], .agentOrOperators(.admin)),
    AccessRow("/workspaces/{id}/tokens/{name}", ["DELETE": 200], .operators(.admin)),
    AccessRow(
      "/workspaces/{id}/tokens", ["GET": 200, "HEAD": 200, "POST": 201, "DELETE": 200],
      by: { .operators(isRead($0) ? .read : .admin) }),
  ]

  private static let others: [AccessRow] = [
    AccessRow(
      "/w/{id}/.well-known/agent-card.json", ["GET": 200, "HEAD": 200, "OPTIONS": 204], .everybody),
    AccessRow("/health", read, .everybody),
    AccessRow("/ready", read, .everybody),
    AccessRow("/metrics", read, .anyOrg(.read)),
    AccessRow("/admin/status", read, .relay),
    AccessRow("/admin/messages/{?message}", read, .operators(.read)),
    AccessRow("/workspaces/{id}/activity", ["GET": 501], .everybody),
    AccessRow("/workspaces/{id}/delegate/**", ["GET": 501], .everybody),
    AccessRow("/registry/discover/*", ["GET": 501], .everybody),
    AccessRow("/workspaces/{id}/**", ["GET": 404], .everybody),
    AccessRow("/workspaces/x/inbox", ["GET": 404], .everybody),
    AccessRow("/nowhere", ["GET": 404], .everybody),
  ]
}
