import Engine
import HTTPServer
import Relay
import System
import Wire

/// Who may read `/metrics`.
package enum MetricsAccess: String, Sendable, CaseIterable {
  /// The admin token, and an org's key with the scope `read`.
  case closed
  /// Everybody: the relay cannot know what a proxy lets through.
  case open
}

/// Writes the families of `/metrics`, one after the other.
struct MetricsPage {
  var text = MetricsText(capacity: 32 * 1024)
  let now: Now

  typealias Labels = [(name: String, value: String)]

  init(now: Now) { self.now = now }

  private mutating func begin(_ family: MetricFamily) {
    text.family(family.rawValue, family.kind, family.help)
  }

  private mutating func add(_ family: MetricFamily, _ value: Int) {
    begin(family)
    text.sample(family.rawValue, value)
  }

  private mutating func add(_ family: MetricFamily, nanoseconds: Int64) {
    begin(family)
    text.sample(family.rawValue, nanoseconds: nanoseconds)
  }

  private mutating func times(_ family: MetricFamily, _ labels: Labels, _ times: Histogram) {
    text.histogram(
      family.rawValue, labels, bounds: times.bounds.map(MetricsText.seconds),
      counts: times.counts, sum: MetricsText.seconds(times.sum))
  }

  private func age(_ since: WallTime?) -> Int64 {
    since.map { max(0, (now.wall - $0).nanoseconds) } ?? 0
  }

  mutating func clockDoubt(_ left: Duration) {
    add(.clockDoubt, nanoseconds: left.nanoseconds)
  }

  mutating func process(since start: WallTime, clockJumps: Int, logLinesLost: Int) {
    begin(.build)
    text.sample(MetricFamily.build.rawValue, [("version", RelayVersion.text)], 1)
    let usage = ProcessUsage.now()
    add(.processStart, nanoseconds: start.nanoseconds)
    add(.processCPU, nanoseconds: usage.cpuNanoseconds)
    add(.processMemory, usage.residentBytes)
    add(.clockJumps, clockJumps)
    add(.logLinesLost, logLinesLost)
  }

  mutating func disk(_ metrics: Metrics, isLow: Bool) {
    begin(.barrierSeconds)
    for form in Metrics.BarrierForm.allCases {
      times(.barrierSeconds, [("form", "\(form)")], metrics.barriers[form.rawValue])
    }
    add(.barrierErrors, metrics.barrierErrors)
    let ok = metrics.lastBarrier?.okAt
    add(.barrierAge, nanoseconds: ok.map { max(0, (now.instant - $0).nanoseconds) } ?? 0)
    begin(.roundOperations)
    text.histogram(
      MetricFamily.roundOperations.rawValue, bounds: metrics.rounds.bounds.map { String($0) },
      counts: metrics.rounds.counts, sum: String(metrics.rounds.sum))
    add(.commits, metrics.commits)
    add(.commitsRefused, metrics.commitsRefused)
    begin(.checkpointSeconds)
    times(.checkpointSeconds, [], metrics.checkpoints)
    add(.checkpointErrors, metrics.checkpointErrors)
    add(.registryWrites, metrics.registryWrites)
    if let disk = metrics.disk {
      add(.diskFree, Int(disk.free))
      add(.diskHighWater, Int(disk.highWater))
      add(.reserveHeld, disk.isReserveHeld ? 1 : 0)
    }
    add(.diskLow, isLow ? 1 : 0)
  }

  mutating func files(_ levels: Levels, agents: AgentSweep.Counts) {
    add(.walPages, levels.walPages)
    add(.walPagesMost, levels.walPagesMost)
    add(.filesOpened, levels.filesOpened)
    add(.filesClosed, levels.filesOpened - levels.filesOpen)
    add(.filesOpen, levels.filesOpen)
    add(.filesFailed, levels.filesFailed)
    begin(.agents)
    for (state, count) in [
      ("online", agents.online), ("offline", agents.offline), ("awaiting", agents.awaiting),
    ] {
      text.sample(MetricFamily.agents.rawValue, [("state", state)], count)
    }
  }

  mutating func queues(_ depth: QueueDepth) {
    add(.unanswered, depth.unanswered)
    add(.inFlight, depth.inFlight)
    add(.unreceived, depth.unreceived)
    add(.dead, depth.dead)
    add(.interrupted, depth.interrupted)
    add(.queueBytes, depth.bytes)
    add(.oldestUnanswered, nanoseconds: age(depth.oldestUnanswered))
    add(.oldestUnreceived, nanoseconds: age(depth.oldestUnreceived))
  }

  /// - `memoryFull`: requests that the loop refused before the application saw them.
  mutating func traffic(_ metrics: Metrics, memoryFull: Int) {
    add(.sends, metrics.sends)
    add(.attaches, metrics.attaches)
    add(.handOuts, metrics.handOuts)
    add(.redeliveries, metrics.redeliveries)
    add(.results, metrics.results)
    add(.resultsLate, metrics.resultsLate)
    begin(.retired)
    for (cause, count) in [("age", metrics.retiredByAge), ("size", metrics.retiredBySize)] {
      text.sample(MetricFamily.retired.rawValue, [("cause", cause)], count)
    }
    begin(.ended)
    for reason in EndReason.allCases {
      text.sample(
        MetricFamily.ended.rawValue, [("reason", reason.name)], metrics.ends(reason))
    }
    begin(.refusals)
    for error in RelayError.allCases {
      let more = error == .memoryFull ? memoryFull : 0
      text.sample(
        MetricFamily.refusals.rawValue, [("code", error.code)], metrics.refusals(error) + more)
    }
  }

  mutating func peers(_ levels: Levels, _ counters: LoopCounters, connections: Int) {
    add(.parkedPolls, levels.parkedPolls)
    add(.heldCallers, levels.heldCallers)
    add(.connections, connections)
    add(.connectionsAccepted, counters.connectionsAccepted)
    add(.connectionsLost, counters.connectionsLost)
    add(.acceptsPaused, counters.acceptsPaused)
    add(.requests, counters.requests)
    add(.requestsMalformed, counters.requestsMalformed)
    begin(.timeOuts)
    for (what, count) in [
      ("request", counters.requestsTimedOut), ("answer", counters.writesTimedOut),
    ] {
      text.sample(MetricFamily.timeOuts.rawValue, [("of", what)], count)
    }
    add(.turns, counters.turns)
  }

  mutating func memory(used: Int, max: Int) {
    add(.bodyBytes, used)
    add(.bodyBytesMax, max)
  }

  mutating func workspaces(_ list: [(id: WorkspaceID, depth: QueueDepth)]) {
    for (family, value) in [
      (MetricFamily.workspaceUnanswered, \QueueDepth.unanswered),
      (.workspaceUnreceived, \.unreceived), (.workspaceDead, \.dead),
    ] {
      begin(family)
      for (id, depth) in list {
        text.sample(family.rawValue, [("workspace", id.text)], depth[keyPath: value])
      }
    }
    begin(.workspaceOldest)
    for (id, depth) in list {
      text.sample(
        MetricFamily.workspaceOldest.rawValue, [("workspace", id.text)],
        nanoseconds: age(depth.oldestUnanswered))
    }
  }
}
