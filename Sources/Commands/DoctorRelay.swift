import HTTPClient
import Relay
import Server
import Store
import System
import Wire

/// The relay itself, asked over HTTP.
extension Doctor {
  static func examineRelay(_ line: Invocation, _ report: inout Report) {
    guard isReachable(line, &report) else { return }
    let status: Invocation.Answer
    do throws(CommandFailure) {
      status = try line.ask("GET", "/admin/status")
    } catch .credential(let text) {
      return report.problem(
        "the credential is not accepted: \(text.prefix { $0 != "\n" })",
        try: "a2a-relay doctor --token-file DATA/admin-token")
    } catch {
      return report.problem(error.text, try: "a2a-relay doctor with the admin token")
    }
    report.ok("the credential is accepted")
    examineClock(status.json, &report)
    examineWhole(status.json, line, &report)
    examineWorkspaces(line, &report)
  }

  /// Probes need no credential.
  private static func isReachable(_ line: Invocation, _ report: inout Report) -> Bool {
    let answer: BlockingClient.Answer
    let client: BlockingClient
    do throws(BlockingClient.BadURL) {
      client = try BlockingClient(url: line.url, token: nil)
    } catch {
      report.problem(error.text, try: "a2a-relay doctor --relay http://127.0.0.1:8080")
      return false
    }
    do throws(BlockingClient.Unreachable) {
      _ = try client.call("GET", "/health")
      answer = try client.call("GET", "/ready")
    } catch {
      report.problem(
        error.text, try: "systemctl status a2a-relay, or --relay with the address of its log line")
      return false
    }
    let json = try? JSON(parsing: answer.body)
    switch json?["status"]?.string {
    case "ready": report.ok("a relay answers at \(line.url) and is ready")
    case "degraded":
      if json?["unavailable"]?.int != 0 {
        report.problem(
          "\(Plain.member(json?["unavailable"])) workspaces are closed for good",
          try: "a2a-relay check DATA, then a2a-relay restore from a backup; the log says why")
      }
      if let files = json?["unregistered"]?.int, files > 0 {
        report.problem(
          "\(files) files hold messages of workspaces that are not registered",
          try: "a2a-relay check DATA names them: restore the relay.db that knows them, or move the "
            + "files away")
      }
    case "not_ready":
      report.problem(
        "the relay is not ready: \(Plain.member(json?["reasons"]))",
        try: "journalctl -u a2a-relay -n 50")
    default:
      report.problem("what answers at \(line.url) is no relay", try: "--relay URL")
      return false
    }
    examineRoom(json?["room"], &report)
    return true
  }

  /// Reports the room for sends, results and deletion, by the relay's own numbers.
  private static func examineRoom(_ room: JSON?, _ report: inout Report) {
    guard let room, let sends = room["for_sends"]?.int, let results = room["for_results"]?.int,
      let deletion = room["for_deletion"]?.int
    else { return }
    let text =
      "room for sends: \(Plain.bytes(Int64(sends))), "
      + "for results: \(Plain.bytes(Int64(results))), "
      + "for deletion: \(Plain.bytes(Int64(deletion)))"
    let remedy =
      "df -h on the data directory; a2a-relay purge ID, or a2a-relay workspaces remove ID --purge"
    if results == 0 {
      report.problem("the disk is full, and nothing but deletion is served: \(text)", try: remedy)
    } else if sends == 0 {
      report.problem("the disk is nearly full, and sends are refused: \(text)", try: remedy)
    } else {
      report.ok(text)
    }
    if let inodes = room["inodes"]?.int, inodes < Limits.inodesMin {
      report.problem(
        "the file system has \(inodes) inodes left: no workspace can be made",
        try: "df -i on the data directory, and delete files there")
    }
  }

  /// The relay's wall clock at its start and how long ago that is, by a clock that nobody sets.
  private static func examineClock(_ json: JSON, _ report: inout Report) {
    guard let text = json["started_at"]?.string, let uptime = json["uptime_seconds"]?.int,
      let started = Timestamp.nanoseconds(rfc3339: text)
    else { return }
    if let doubted = json["clock_doubted_seconds"]?.int, doubted > 0 {
      report.note(
        "the relay does not believe its clock, which was moved, or is far from where it was before "
          + "the machine started: for \(doubted) s nothing expires, and nothing is deleted by age")
    }
    let off = (Clock.wall().nanoseconds - started) / 1_000_000_000 - Int64(uptime)
    if abs(off) > 5 {
      report.problem(
        "the clock here and the relay's differ by \(off) s, or it was set since the start",
        try: "timedatectl on both; times to live and leases follow the relay's clock")
    } else {
      report.ok("the clocks agree")
    }
  }

  private static func examineWhole(_ json: JSON, _ line: Invocation, _ report: inout Report) {
    if json["disk"]?["reserve_held"]?.bool == false {
      report.problem(
        "the space held back for a full disk is given up", try: "df -h on the data directory")
    }
    guard let failed = json["workspaces"]?["failed"]?.int, failed > 0 else { return }
    do throws(CommandFailure) {
      // With the credential it names them.
      let names = try line.ask("GET", "/ready").json["unavailable_workspaces"]
      report.problem("cannot be opened: \(Plain.member(names))", try: "a2a-relay check DATA")
    } catch {
      report.problem("\(failed) workspaces cannot be opened", try: "a2a-relay check DATA")
    }
  }

  private static func examineWorkspaces(_ line: Invocation, _ report: inout Report) {
    var after = ""
    var seen = Seen()
    for _ in 0..<Limits.doctorPagesMax {
      let page: JSON
      do throws(CommandFailure) {
        page = try line.ask("GET", "/workspaces?limit=500\(after)").json
      } catch {
        return report.problem(error.text, try: "a2a-relay workspaces")
      }
      for workspace in page["workspaces"]?.array ?? [] {
        seen.all += 1
        examine(workspace, line, &seen, &report)
      }
      guard let next = page["next"]?.string else { return tell(seen, &report) }
      after = "&after=\(next)"
    }
    tell(seen, &report)
    report.note("the first \(seen.all) workspaces were looked at")
  }

  private struct Seen {
    var all = 0
    /// The relay has not looked into them since it was killed.
    var unknown = 0
    var isWaiting = false
    var isDead = false
  }

  /// Reports on all workspaces. Those that were not looked at are only counted.
  private static func tell(_ seen: Seen, _ report: inout Report) {
    if !seen.isWaiting {
      report.ok("\(seen.all - seen.unknown) workspaces, none with old messages")
    }
    if !seen.isDead {
      report.ok("\(seen.all - seen.unknown) workspaces, none with dead messages of a day")
    }
    if seen.unknown > 0 {
      report.note("what \(seen.unknown) workspaces hold is not known yet: ask again in a minute")
    }
  }

  private static func examine(
    _ workspace: JSON, _ line: Invocation, _ seen: inout Seen, _ report: inout Report
  ) {
    if let problem = workspace["problem"]?.string, let id = workspace["id"]?.string {
      report.problem(
        "\(name(workspace, id)): \(problem): it gets no messages",
        try: "let it poll \(Plain.member(workspace["urls"]?["inbox"])) (docs/protocol.md)")
    }
    guard let id = workspace["id"]?.string, let queue = workspace["queue"] else {
      seen.unknown += 1
      return
    }
    let before = report.problems
    examineWaiting(workspace, id, queue, line, &report)
    if report.problems > before { seen.isWaiting = true }
    // To ask for those without would open every file.
    guard queue["dead"]?.int ?? 0 > 0 else { return }
    if let dead = died(id, line), dead > 0 {
      seen.isDead = true
      report.problem(
        "\(name(workspace, id)): dead messages of the last day: \(dead)",
        try: "a2a-relay messages \(id) --state dead --since 1d, then a2a-relay redrive MESSAGE")
    }
  }

  private static func name(_ workspace: JSON, _ id: String) -> String {
    "workspace \(id) (\(Plain.member(workspace["name"])))"
  }

  private static func examineWaiting(
    _ workspace: JSON, _ id: String, _ queue: JSON, _ line: Invocation, _ report: inout Report
  ) {
    guard let unanswered = queue["unanswered"]?.int, unanswered > 0 else { return }
    let name = name(workspace, id)
    if queue["present"]?.bool == false {
      let (why, remedy) = away(workspace, id, line)
      report.problem("\(name) has \(unanswered) unanswered, and \(why)", try: remedy)
    } else if let age = oldest(id, line), age > Double(Limits.doctorAgeMax.components.seconds) {
      report.problem(
        "\(name) has a message that waits for \(Plain.age(seconds: age)); its agent is there",
        try: "a2a-relay messages \(id) --state in_flight, then a2a-relay explain MESSAGE")
    }
  }

  /// Returns why nobody fetches the messages of a workspace, and what to do about it.
  private static func away(
    _ workspace: JSON, _ id: String, _ line: Invocation
  ) -> (why: String, remedy: String) {
    if workspace["settings"]?["paused"]?.bool == true {
      return ("it is paused", "a2a-relay resume \(id)")
    }
    if hasLiveToken(id, line) == false {
      return (
        "no live token: no agent can fetch them",
        "a2a-relay tokens \(id) add, and give its agent that token"
      )
    }
    guard workspace["status"]?.string == "online" else {
      return (
        "its agent is away",
        "start its agent; a2a-relay workspaces show \(id) says when it was seen last"
      )
    }
    let seen = Plain.since(workspace["last_seen_at"], now: Clock.wall().nanoseconds)
    return (
      "its agent, seen \(seen) ago, does not fetch them",
      "let it poll \(Plain.member(workspace["urls"]?["inbox"])) (docs/protocol.md)"
    )
  }

  /// `nil`: the tokens cannot be asked for.
  private static func hasLiveToken(_ id: String, _ line: Invocation) -> Bool? {
    let answer = try? line.ask("GET", "/workspaces/\(id)/tokens")
    let now = Clock.wall().nanoseconds
    return answer?.json["tokens"]?.array?.contains {
      CredentialCommands.state($0, now: now) == "good"
    }
  }

  private static func died(_ id: String, _ line: Invocation) -> Int? {
    let day = Timestamp.rfc3339(nanoseconds: Clock.wall().nanoseconds - 86_400_000_000_000)
    let path = "/workspaces/\(id)/messages?state=dead&limit=500&since=\(day)"
    return (try? line.ask("GET", path))?.json["messages"]?.array?.count
  }

  private static func oldest(_ id: String, _ line: Invocation) -> Double? {
    guard let answer = try? line.ask("GET", "/workspaces/\(id)/queue"),
      case .number(let raw) = answer.json["oldest_unanswered_age_seconds"]
    else { return nil }
    return Double(raw)
  }
}
