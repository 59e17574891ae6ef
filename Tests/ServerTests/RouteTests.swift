import Relay
import Testing

@testable import Server

/// What a path is for: every form that is served, and the odd ones beside it.
@Suite struct RouteTests {
  private static let text = "0b51ae6a-1d7c-4f5e-9a2f-6d2f0c3b4a59"
  private static let messageText = "00000000-0000-8000-8001-000000000001"
  private static let id = WorkspaceID(text)
  private static let message = MessageID(messageText)

  @Test(arguments: [
    "", "/", "//", "*", "w", "health", "/W/ID/", "/w", "/wx/ID", "//w/ID", "/%77/ID", "/health/",
    "//health", "/health/x", "/healthz", "/Health", "/ready/", "/ready/x", "/messages",
    "/messages/MSG/", "/messages/MSG/x", "/workspaces/ID/inbox/",
    "/workspaces/ID/inbox/x", "/workspaces/ID/inbox/batch/", "/workspaces/ID/inbox//batch",
    "/workspaces/ID/inbox/MSG", "/workspaces/ID/inbox/MSG/", "/workspaces/ID/inbox/MSG/Claim",
    "/workspaces/ID/inbox/MSG/claim/", "/workspaces/ID/inbox/MSG/claim/x/y/z", "/workspacesx/ID",
    "/w%2FID", "/a2a/", "/a2a/x/y", "/secrets/", "/secrets/x", "/secrets/values/x", "/org",
    "/orgs/", "/admin/x", "/metrics/x",
    "/registry", "/registry/", "/registry/x", "/registry/register/", "/registry/heartbeat/x",
    "/registry//register", "/workspaces/ID/x", "/workspaces/ID//inbox", "/workspaces/ID/Inbox",
    "/workspaces/ID/inbxo", "/workspaces/ID/messages/MSG/", "/workspaces/ID/queue/",
    "/workspaces/ID/messages/MSG/cancel/", "/workspaces/ID/messages/MSG/Cancel",
    "/workspaces/ID/jobs/1/x", "/workspaces/ID/pause/x",
    "/workspaces/ID/inbox/events", "/workspaces/ID//", "/workspaces/ID/a2a/",
    "/workspaces/ID/a2a/queue", "/workspaces/ID/a2a/queue/MSG/x", "/workspaces/ID/a2a/x/MSG",
    "/workspaces/ID/secrets/x/y", "/workspaces/ID/state/", "/workspaces/ID/chat",
    "/registry/update-card/", "/registry/discover", "/registry/peers/ID",
  ])
  func `a path of nothing is none`(path: String) {
    #expect(route(path) == .none)
  }

  @Test(arguments: [
    "/w/", "/w//", "/w/ID-", "/w/x/", "/w/%30b51ae6a-1d7c-4f5e-9a2f-6d2f0c3b4a59/", "/w//ID",
    "/w/IDx/", "/messages/", "/messages/ID", "/messages/x", "/workspaces//", "/workspaces/x",
    "/workspaces/ID0", "/workspaces/x/a2a", "/workspaces/x/secrets", "/workspaces/x/activity",
    "/workspaces/ID/a2a/queue/x", "/workspaces/ID/a2a/queue/ID",
    "/workspaces/ID/messages/", "/workspaces/ID/messages/ID", "/workspaces/ID/inbox//claim",
    "/workspaces/ID/inbox/ID/claim", "/workspaces//inbox", "/workspaces/ID/jobs/x",
    "/workspaces/ID/jobs/0", "/workspaces/ID/messages/ID/cancel", "/workspaces/x/queue",
  ])
  func `a path with an id that is none says so`(path: String) {
    #expect(route(path) == .badID)
  }

  @Test(arguments: [
    "/workspaces/ID/memories", "/workspaces/ID/broadcast",
    "/workspaces/ID/plugins", "/workspaces/ID/plugins/x/download", "/workspaces/ID/restart",
    "/workspaces/ID/chat/uploads", "/workspaces/ID/activity/ack",
    "/workspaces/ID/notify", "/workspaces/ID/delegate", "/workspaces/ID/delegations",
    "/registry/discover/ID", "/registry/ID/peers", "/registry/check-access",
  ])
  func `what is planned is not served yet`(path: String) {
    #expect(route(path) == .unsupported)
  }

  @Test(arguments: [
    ("/workspace/ID/inbox", "/workspaces/{id}/inbox/batch"),
    ("/workspaces/ID/inbxo", "/workspaces/{id}/inbox/batch"),
    ("/registry/regster", "/registry/heartbeat"), ("/regisrty/register", "/registry/heartbeat"),
    ("/secret", "/secrets/values"), ("/workspaces/ID/secret", "/workspaces/{id}/secrets"),
    ("/message/MSG", "/messages/{message}"), ("/w/ID/card", "/w/{id}/.well-known"),
    ("/healthz", "/health"), ("/a2a/", "/workspaces/{id}/a2a"), ("", "/w/{id}/"),
    ("/" + String(repeating: "w", count: 5000), "/w/{id}/"),
  ])
  func `a mistyped path hears of the nearest routes`(path: String, named: String) {
    #expect(Route.nearest(path).contains(named))
  }

  @Test func `every form that is served is found`() throws {
    let id = try #require(Self.id)
    let message = try #require(Self.message)
    let served: [(String, Route)] = [
      ("/w/ID", .call(id)), ("/w/ID/", .call(id)), ("w/w/ID", .call(id)),
      ("/w/ID/.well-known/agent-card.json", .card(id)),
      ("/w/ID/.well-known/agent.json", .card(id)), ("/w/ID/message:send", .rest(id)),
      ("/w/ID/v1/message:stream", .rest(id)), ("/w/ID/tasks/x", .rest(id)),
      ("/workspaces/ID/", .workspace(id)), ("/w/ID//", .nothing(id)), ("/w/ID/x", .nothing(id)),
      ("/w/ID/.well-known/agent.json/", .nothing(id)), ("/w/ID/%2e", .nothing(id)),
      ("/w/ID/v1", .nothing(id)),
      ("/messages/MSG", .callerMessage(message)), ("/workspaces", .workspaces),
      ("/workspaces/", .workspaces), ("/workspaces/ID", .workspace(id)),
      ("/workspaces/ID/inbox", .inbox(id)), ("/workspaces/ID/inbox/batch", .batch(id)),
      ("/workspaces/ID/messages/MSG", .timeline(id, message)), ("/registry/register", .register),
      ("/a2a", .platform(.a2a(nil))), ("/workspaces/ID/a2a", .platform(.a2a(id))),
      ("/workspaces/ID/a2a/queue/MSG", .platform(.queueItem(id, message))),
      ("/secrets", .platform(.secrets(nil))), ("/secrets/values", .platform(.secretValues(nil))),
      ("/workspaces/ID/secrets", .platform(.secrets(id))),
      ("/workspaces/ID/secrets/values", .platform(.secretValues(id))),
      ("/workspaces/ID/secrets/A.b-1", .platform(.secret(id, "A.b-1"))),
      ("/workspaces/ID/state", .platform(.state(id))),
      ("/workspaces/ID/activity", .platform(.activity(id))),
      ("/registry/update-card", .platform(.updateCard)),
      ("/registry/heartbeat", .heartbeat), ("/health", .health), ("/ready", .ready),
      ("/metrics", .metrics),
    ]
    for (path, expected) in served { #expect(route(path) == expected, "\(path)") }
    let queue: [(String, QueueRoute)] = [
      ("queue", .status), ("messages", .messages), ("jobs", .jobs), ("jobs/7", .job(7)),
      ("pause", .pause), ("resume", .resume), ("redrive", .many(.redrive)),
      ("replay", .many(.replay)), ("purge", .many(.purge)),
      ("messages/MSG/cancel", .verb(.cancel, message)),
      ("messages/MSG/redrive", .verb(.redrive, message)),
      ("messages/MSG/replay", .verb(.replay, message)),
    ]
    for (path, expected) in queue {
      #expect(route("/workspaces/ID/\(path)") == .queue(id, expected), "\(path)")
    }
    for verb in Route.Verb.allCases {
      #expect(
        route("/workspaces/ID/inbox/MSG/\(verb.rawValue)") == .verb(id, message, verb))
    }
    #expect(Route(path: "/w/\(Self.text.uppercased())") == .call(id))
  }

  private func route(_ path: String) -> Route {
    Route(
      path: path.replacing("ID", with: Self.text).replacing("MSG", with: Self.messageText))
  }
}
