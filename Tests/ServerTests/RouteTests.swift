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
    #expect(isNone(route(path).route), "\(route(path).route.patterns)")
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
    #expect(route(path).route === Route.badID)
  }

  @Test(arguments: [
    "/workspaces/ID/memories", "/workspaces/ID/broadcast",
    "/workspaces/ID/plugins", "/workspaces/ID/plugins/x/download", "/workspaces/ID/restart",
    "/workspaces/ID/chat/uploads", "/workspaces/ID/activity/ack",
    "/workspaces/ID/notify", "/workspaces/ID/delegate", "/workspaces/ID/delegations",
    "/registry/discover/ID", "/registry/ID/peers", "/registry/check-access",
  ])
  func `what is planned is not served yet`(path: String) {
    #expect(route(path).route.refusal == .unsupported)
    #expect(route(path).route.access == .everybody)
  }

  @Test(arguments: [
    ("/workspace/ID/inbox", "/workspaces/{id}/inbox"),
    ("/workspaces/ID/inbxo", "/workspaces/{id}/inbox"),
    ("/registry/regster", "/registry/heartbeat"), ("/regisrty/register", "/registry/heartbeat"),
    ("/secret", "/secrets/values"), ("/workspaces/ID/secret", "/workspaces/{id}/secrets"),
    ("/message/MSG", "/messages/{message}"), ("/w/ID/card", "/w/{id}/.well-known"),
    ("/healthz", "/health"), ("/a2a/", "/a2a"), ("", "/w/{id}/"),
    ("/" + String(repeating: "w", count: 5000), "/w/{id}/"),
  ])
  func `a mistyped path hears of the nearest routes`(path: String, named: String) {
    #expect(RouteSuggestions.nearest(path).contains(named))
  }

  @Test func `no two lines of a path take the same method, and none is hidden by another`() {
    var seen: Set<String> = []
    for route in RouteTable.routes {
      let methods = route.refusal == nil ? route.methods.names : ["any"]
      for pattern in route.patterns {
        for method in methods {
          #expect(seen.insert("\(method) \(pattern)").inserted, "\(method) \(pattern)")
        }
      }
      #expect(!route.methods.isEmpty || route.refusal != nil, "\(route.patterns)")
    }
  }

  @Test func `methods are named in one order, and an unknown one is none of them`() {
    #expect(
      HTTPMethods([.options, .delete, .post, .read]).names == [
        "GET", "HEAD", "POST", "DELETE", "OPTIONS",
      ])
    for name in ["", "get", "TRACE", "GET ", "POSTS"] { #expect(HTTPMethods(name).isEmpty) }
    for name in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
      #expect(HTTPMethods(name).names == [name])
    }
  }

  @Test func `a suggestion names only paths that are served`() {
    let served = RouteSuggestions.served.map { $0.replacing("{?", with: "{") }
    for path in ["", "/w", "/workspace/ID/inbxo", "/registy", "/admin/x", "/org", "/secret"] {
      let named = RouteSuggestions.nearest(path).split(separator: ", ").map(String.init)
      #expect(!named.isEmpty && Set(named).isSubset(of: served), "\(path): \(named)")
    }
  }

  @Test func `every pattern is found by a path that fits it`() throws {
    for expected in RouteTable.routes where expected.refusal == nil {
      for pattern in expected.patterns {
        let path = pattern.replacing("{?", with: "{").replacing("{id}", with: "ID")
          .replacing("{message}", with: "MSG").replacing("{job}", with: "7")
          .replacing("{name}", with: "A.b-1").replacing("{key}", with: "A.b-1")
        for method in expected.methods.names {
          let found = route(path, method)
          #expect(found.route === expected && found.isAllowed, "\(method) \(path)")
          #expect((found.parameters.workspace == Self.id) == pattern.contains("id}"), "\(path)")
          #expect(
            (found.parameters.message == Self.message) == pattern.contains("message}"), "\(path)")
          #expect(found.parameters.job == (pattern.contains("{job}") ? 7 : nil), "\(path)")
          let hasText = pattern.contains("{name}") || pattern.contains("{key}")
          #expect(found.parameters.text == (hasText ? "A.b-1" : nil), "\(path)")
        }
        // A known path with another method is known all the same.
        let other = route(path, "TRACE")
        #expect(!other.isAllowed && other.route.patterns == expected.patterns, "\(path)")
      }
    }
  }

  @Test(arguments: [
    ("/w/ID", "/w/{id}/"), ("w/w/ID", "/w/{id}/"), ("/w/ID/message:send", "tasks/**"),
    ("/w/ID/v1/message:stream", "tasks/**"), ("/w/ID/tasks/x", "tasks/**"),
    ("/w/ID//", "/w/{id}/**"), ("/w/ID/x", "/w/{id}/**"), ("/w/ID/%2e", "/w/{id}/**"),
    ("/w/ID/.well-known/agent.json/", "/w/{id}/**"), ("/w/ID/v1", "/w/{id}/**"),
    ("/workspaces/ID/secrets/", "/secrets/{key}"),
    ("/registry/register/peers", "/registry/*/peers"),
    ("/workspaces/ID/secrets/values", "/secrets/values"),
    ("/workspaces/ID/tokens/rotate", "/tokens/rotate"),
    ("/workspaces/ID/activity", "/activity"), ("/workspaces/ID/activity/x", "/activity/**"),
  ])
  func `the odd forms of paths are found`(path: String, pattern: String) {
    let found = route(path, "POST")
    #expect(found.route.patterns.contains { $0.hasSuffix(pattern) }, "\(found.route.patterns)")
    #expect(found.parameters.workspace == (path.contains("ID") ? Self.id : nil))
  }

  @Test func `an id may be in capitals`() {
    let found = RouteTable.find("/w/\(Self.text.uppercased())", .post)
    #expect(found.parameters.workspace == Self.id && found.isAllowed)
  }

  @Test func `a workspace at the root is called and has its card there`() throws {
    let root = try #require(Self.id)
    for (path, method) in [
      ("/", "POST"), ("/", "OPTIONS"), ("/.well-known/agent-card.json", "GET"),
      ("/.well-known/agent.json", "HEAD"),
    ] {
      let found = RouteTable.find(path, HTTPMethods(method), root: root)
      #expect(found.isAllowed && found.parameters.workspace == root, "\(method) \(path)")
      #expect(isNone(RouteTable.find(path, HTTPMethods(method)).route))
    }
    #expect(isNone(RouteTable.find("/", .get, root: root).route))
    #expect(isNone(RouteTable.find("/x", .post, root: root).route))
  }

  private func isNone(_ route: Route) -> Bool {
    route.refusal == .noRoute && route.access == .everybody
  }

  private func route(_ path: String, _ method: String = "GET") -> RouteMatch {
    RouteTable.find(
      path.replacing("ID", with: Self.text).replacing("MSG", with: Self.messageText),
      HTTPMethods(method))
  }
}
