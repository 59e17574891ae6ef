import Relay

@testable import Server

/// The routes one by one, for tables that must name each of them: a new case of `Route` does not
/// compile before it is named here, and a kind without a row fails the test of the table.
enum RouteKind: String, CaseIterable {
  case call, card, rest, nothing, callerMessage, inbox, verb, batch, register, heartbeat
  case workspaces, workspace, restore, timeline
  case orgs, keys, key, audit, tokens, adminTokens, rotation, token
  case a2a, queueItem, secrets, secretValues, secret, state, updateCard, activity
  case metrics, status, messageOwner
  case backup, importing
  case queue, messages, messageVerb, manyMessages, jobs, job, pause, resume
  case health, ready, unsupported, badID, none

  init(_ route: Route) {
    self =
      switch route {
      case .call: .call
      case .card: .card
      case .rest: .rest
      case .nothing: .nothing
      case .callerMessage: .callerMessage
      case .inbox: .inbox
      case .verb: .verb
      case .batch: .batch
      case .register: .register
      case .heartbeat: .heartbeat
      case .workspaces: .workspaces
      case .workspace: .workspace
      case .restore: .restore
      case .timeline: .timeline
      case .credentials(let route): RouteKind(route)
      case .platform(let route): RouteKind(route)
      case .queue(_, let route): RouteKind(route)
      case .archive(.backup): .backup
      case .archive(.importing): .importing
      case .metrics: .metrics
      case .status(.status): .status
      case .status(.workspaces): .messageOwner
      case .health: .health
      case .ready: .ready
      case .unsupported: .unsupported
      case .badID: .badID
      case .none: .none
      }
  }

  private init(_ route: QueueRoute) {
    self =
      switch route {
      case .status: .queue
      case .messages: .messages
      case .verb: .messageVerb
      case .many: .manyMessages
      case .jobs: .jobs
      case .job: .job
      case .pause: .pause
      case .resume: .resume
      case .badID: .badID
      }
  }

  private init(_ route: PlatformRoute) {
    self =
      switch route {
      case .a2a: .a2a
      case .queueItem: .queueItem
      case .secrets: .secrets
      case .secretValues: .secretValues
      case .secret: .secret
      case .state: .state
      case .updateCard: .updateCard
      case .activity: .activity
      }
  }

  private init(_ route: CredentialRoute) {
    self =
      switch route {
      case .orgs: .orgs
      case .keys: .keys
      case .key: .key
      case .audit: .audit
      case .tokens: .tokens
      case .adminTokens: .adminTokens
      case .rotation: .rotation
      case .token: .token
      }
  }
}
