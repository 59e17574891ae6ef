import Relay
import TestKit
import Testing
import Wire

@testable import Engine

/// Random schedules over many workspaces and few files, against a model of what was promised.
@Suite struct FilesScheduleTests {
  private final class Run {
    let bench: Bench
    var ids: [WorkspaceID] = []
    var dice: Dice
    var sent = 0
    /// By message: the text that was sent, and the answer that was accepted.
    var texts: [MessageID: String] = [:]
    var answers: [MessageID: String] = [:]
    var attempts: [MessageID: Int] = [:]
    var fences: Set<String> = []
    /// Sends that no answer has acknowledged yet, and callers who are held.
    var pending: [CallID: String] = [:]
    var held: [(workspace: WorkspaceID, entry: Held, until: Instant)] = []
    var polls: [PollID: WorkspaceID] = [:]
    /// Extends without a reply, and what they are for.
    var extends: [CallID: (workspace: WorkspaceID, entry: Held)] = [:]
    var results: [CallID: (message: MessageID, text: String)] = [:]
    var seen: Set<CallID> = []

    init(seed: UInt64, files: Int) throws {
      var limits = Limits()
      limits.openWorkspacesMax = files
      limits.closedMessagesMax = 8
      limits.attempts = 1000
      bench = try Bench(limits: limits)
      dice = Dice(seed: seed)
      for _ in 0..<9 { ids.append(try bench.create(high: dice.next())) }
    }

    func step() throws {
      let id = ids[Int(dice.next() % UInt64(ids.count))]
      switch dice.next() % 12 {
      case 0...3:
        sent += 1
        let text = "t\(sent)"
        let isBlocking = dice.next() % 2 == 0
        let call = try bench.send(id) {
          ($0.text, $0.messageID, $0.isBlocking) = (text, text, isBlocking)
          $0.hold = .seconds(290)
        }
        pending[call] = text
      case 4...6:
        let wait = dice.next() % 2 == 0 ? Duration.zero : .seconds(20)
        polls[bench.poll(id, max: 3, wait: wait, confirm: dice.next() % 4 == 0)] = id
      case 7...9:
        guard !held.isEmpty else { return }
        let at = Int(dice.next() % UInt64(held.count))
        try use(held.remove(at: at))
      case 10: bench.advance(.seconds(Int64(dice.next() % 40)))
      default: bench.turn()
      }
      if dice.next() % 3 > 0 { bench.sync() }
      collect()
      #expect(bench.engine.pool.files.count <= bench.limits.openWorkspacesMax)
    }

    private func use(_ one: (workspace: WorkspaceID, entry: Held, until: Instant)) throws {
      switch dice.next() % 5 {
      case 0: bench.agent(one.workspace, one.entry, .release(delay: .seconds(3), reason: "r"))
      case 1:
        let call = bench.agent(one.workspace, one.entry, .extend(.seconds(300)))
        extends[call] = (one.workspace, one.entry)
      case 2: break
      default:
        let text = "a\(one.entry.message.seq)-\(dice.next() % 3)"
        let call = try bench.result(one.workspace, one.entry, text)
        results[call] = (one.entry.message, text)
      }
    }

    func collect() {
      var entries: [(id: WorkspaceID, json: JSON)] = []
      for (call, reply) in bench.replies where seen.insert(call).inserted {
        if let text = pending.removeValue(forKey: call), let message = reply.messageID {
          texts[message] = text
          if reply.state == "TASK_STATE_COMPLETED" { check(reply.text, message) }
        }
        if let id = polls.removeValue(forKey: call) {
          entries += reply.entries.map { (id, $0) }
        }
        if let one = extends.removeValue(forKey: call), reply.status == 200 {
          held.append((one.workspace, one.entry, bench.now.instant))
        }
        if let (message, text) = results.removeValue(forKey: call), reply.status == 200,
          reply.json["status"]?.string == "accepted", reply.json["duplicate"] == nil
        {
          #expect(answers[message] == nil, "one answer for each message")
          answers[message] = text
        }
      }
      take(entries)
    }

    private func check(_ task: String, _ message: MessageID) {
      // The answer may be read before the agent's own reply is looked at here.
      guard let answer = answers[message] else { return }
      #expect(task.contains("\"\(answer)\""))
    }

    /// In the order in which they were given.
    private func take(_ entries: [(id: WorkspaceID, json: JSON)]) {
      let all = entries.compactMap { one in
        (try? Held(one.json)).map { (id: one.id, entry: $0) }
      }
      for (id, entry) in all.sorted(by: { $0.entry.fence < $1.entry.fence }) {
        #expect(fences.insert("\(id.text) \(entry.fence)").inserted, "a fence is given once")
        let attempt = entry.json["attempt"]?.int ?? 0
        let isAgain = entry.json["redelivered"]?.bool == true
        if let before = attempts[entry.message] {
          #expect(attempt >= before && isAgain)
        } else {
          #expect(attempt == 1 && !isAgain, "the first is no second one")
        }
        attempts[entry.message] = attempt
        for other in held where other.entry.message == entry.message {
          #expect(other.until <= bench.now.instant, "a lease that has not ended is held by one")
        }
        // What the entry says is as old as its transaction: milliseconds, where turns come.
        let handOut = bench.engine.pool[id]?.queue.message(entry.message.seq)?.handOut
        let end = handOut?.fence == entry.fence ? handOut?.end : nil
        held.append((id, entry, end ?? bench.now.instant))
      }
    }

    /// Agents work off what is left; then every message that was acknowledged has its answer.
    func finish() throws {
      held = []
      for _ in 0..<60 {
        bench.wait(.seconds(301))
        for id in ids {
          polls[bench.poll(id, max: 100, wait: .zero)] = id
          bench.sync()
        }
        collect()
        for one in held {
          let text = "a\(one.entry.message.seq)-9"
          results[try bench.result(one.workspace, one.entry, text)] = (one.entry.message, text)
          bench.sync()
        }
        held = []
        collect()
        if texts.keys.allSatisfy({ answers[$0] != nil }), pending.isEmpty { break }
      }
      for (message, text) in texts { #expect(answers[message] != nil, "\(text) was lost") }
      #expect(pending.isEmpty)
      bench.wait(.seconds(30))
      #expect(bench.engine.pool.all.count <= bench.limits.openWorkspacesMax)
    }
  }

  @Test(arguments: 0..<24) func `nothing is lost and nothing happens twice`(number: Int) throws {
    let run = try Run(seed: TestSeed.value &+ UInt64(number) &* 977, files: 2 + number % 3)
    for _ in 0..<150 { try run.step() }
    try run.finish()
    #expect(run.bench.engine.pool.files.openedEver - run.bench.engine.pool.files.count > 10)
  }
}
