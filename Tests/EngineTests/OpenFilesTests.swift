import Foundation
import Relay
import Store
import Testing
import Wire

@testable import Engine

/// Many workspaces on a few open files.
@Suite struct OpenFilesTests {
  let bench: Bench
  let ids: [WorkspaceID]

  init() throws {
    var limits = Limits()
    limits.openWorkspacesMax = 2
    bench = try Bench(limits: limits)
    ids = try (0..<6).map { [bench] _ in try bench.create() }
  }

  /// Uses two other workspaces, so that the file of `id` is closed.
  private func close(_ id: WorkspaceID) {
    for other in ids.filter({ $0 != id }).prefix(4) {
      for _ in 0..<3 where bench.engine.pool[other]?.isOpen != true {
        _ = try? bench.engine.pool.workspace(other, now: bench.now)
        bench.sync()
      }
    }
    #expect(bench.engine.pool[id]?.isOpen != true)
  }

  /// Descriptors of this process that are files of the bench.
  private var descriptors: Int {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    return names.count {
      let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
      return target?.contains(bench.path + "/workspaces/") == true
    }
  }

  @Test func `every workspace takes messages and answers, two files at a time`() throws {
    var calls: [CallID] = []
    for round in 0..<3 {
      for id in ids {
        calls.append(try bench.send(id) { $0.messageID = "m-\(round)" })
        bench.sync()
      }
      for id in ids {
        try bench.result(id, try bench.take(id))
        bench.sync()
        #expect(bench.engine.pool.files.count <= 2)
        #expect(descriptors <= 6)
      }
    }
    for call in calls {
      #expect(bench.replies[call]?.state == "TASK_STATE_COMPLETED")
    }
    bench.wait(.seconds(11))
    #expect(bench.engine.pool.all.count <= 2, "workspaces without a file leave memory")
    bench.expectNothingHeld()
  }

  @Test func `a lease goes on while its file is closed, and its result is taken`() throws {
    let call = try bench.send(ids[0]) { $0.hold = .seconds(290) }
    bench.sync()
    let held = try bench.take(ids[0])
    close(ids[0])
    #expect(bench.engine.pool[ids[0]] != nil, "the lease is in memory")
    bench.advance(.seconds(200))
    let extend = bench.agent(ids[0], held, .extend(nil))
    bench.sync()
    #expect(bench.replies[extend]?.json["expires_in"]?.int == 300)
    close(ids[0])
    try bench.result(ids[0], held)
    bench.sync()
    #expect(bench.replies[call]?.state == "TASK_STATE_COMPLETED")
  }

  @Test func `a lease ends while its file is closed, and the message comes again`() throws {
    try bench.send(ids[0]) { $0.hold = .seconds(10) }
    bench.sync()
    let first = try bench.take(ids[0])
    close(ids[0])
    bench.wait(.seconds(301))
    bench.wait(.seconds(2))
    close(ids[0])
    let again = try bench.take(ids[0])
    #expect(again.message == first.message && again.fence > first.fence)
    #expect(again.json["attempt"]?.int == 2 && again.json["redelivered"]?.bool == true)
  }

  @Test func `a parked poll needs no file and gets what comes`() throws {
    let polls = ids.map { bench.poll($0) }
    bench.sync()
    #expect(bench.engine.pool.files.count <= 2)
    for (id, poll) in zip(ids, polls) {
      try bench.send(id)
      bench.sync()
      #expect(bench.replies[poll]?.entries.count == 1)
    }
  }

  @Test func `fences are never given twice across a close`() throws {
    var fences: Set<Fence> = []
    for round in 0..<4 {
      try bench.stored(ids[0], "m-\(round)")
      let held = try bench.take(ids[0])
      #expect(fences.insert(held.fence).inserted)
      bench.agent(ids[0], held, .release(delay: .zero, reason: ""))
      bench.sync()
      bench.wait(.seconds(11))
      close(ids[0])
      #expect(bench.engine.pool[ids[0]] == nil)
      let again = try bench.take(ids[0])
      #expect(fences.insert(again.fence).inserted)
      #expect(again.json["attempt"]?.int == 2)
      try bench.result(ids[0], again)
      bench.sync()
    }
  }

  @Test func `a back-off goes on while the file is closed`() throws {
    try bench.stored(ids[0])
    let held = try bench.take(ids[0])
    bench.agent(ids[0], held, .release(delay: .seconds(60), reason: ""))
    bench.wait(.seconds(11))
    close(ids[0])
    #expect(bench.engine.pool[ids[0]] == nil)
    let early = bench.poll(ids[0], wait: .zero)
    bench.sync()
    #expect(bench.replies[early]?.status == 204)
    let poll = bench.poll(ids[0], wait: .seconds(55))
    bench.sync()
    close(ids[0])
    bench.wait(.seconds(50))
    #expect(bench.replies[poll]?.entries.count == 1)
  }

  @Test func `a message expires in a workspace that is only a file`() throws {
    try bench.stored(ids[0])
    bench.wait(.seconds(11))
    close(ids[0])
    #expect(bench.engine.pool[ids[0]] == nil)
    bench.wait(bench.limits.timeToLive)
    bench.wait(.seconds(1))
    bench.wait(.seconds(1))
    #expect(bench.engine.pool[ids[0]]?.queue.counts.unreceived == 1)
  }

  @Test func `more calls at once than files wait for a barrier and are all answered`() throws {
    let polls = try ids.map { id in
      try bench.send(id)
      return bench.poll(id)
    }
    for _ in 0..<5 { bench.sync() }
    for poll in polls { #expect(bench.replies[poll]?.entries.count == 1) }
  }

  @Test func `a call is refused when every file stays busy`() throws {
    for id in ids.prefix(2) { try bench.send(id) }
    bench.turn()
    let third = try bench.send(ids[2])
    bench.turn()
    #expect(bench.replies[third] == nil)
    bench.advance(bench.limits.fileWaitMax)
    bench.turn()
    #expect(bench.replies[third]?.reason == "TOO_MANY_OPEN")
    #expect(bench.replies[third]?.header("Retry-After") != nil)
    bench.sync()
    let again = try bench.send(ids[2]) { $0.isBlocking = false }
    bench.sync()
    #expect(bench.replies[again]?.state == "TASK_STATE_SUBMITTED")
  }

  @Test func `a file that must stay open is passed over, and closed when it need not`() throws {
    var limits = Limits()
    (limits.openWorkspacesMax, limits.closedMessagesMax) = (2, 2)
    let bench = try Bench(limits: limits)
    let (large, other, third) = (try bench.create(), try bench.create(), try bench.create())
    for number in 0..<3 { try bench.stored(large, "m-\(number)") }
    let held = try bench.take(large)
    for id in [other, third, other, third] { try bench.stored(id, "x-\(bench.now.instant)") }
    #expect(bench.engine.pool[large]?.isOpen == true, "a lease and more than it may have closed")
    bench.agent(large, held, .release(delay: .zero, reason: ""))
    bench.wait(.seconds(15))
    for id in [other, third, other, third] {
      try bench.stored(id, "y-\(bench.now.instant)")
      bench.wait(.seconds(15))
    }
    #expect(bench.engine.pool[large] == nil, "nothing of it is only in memory")
  }

  /// The pool does not look through the open files for the one to close.
  @Test func `closing the longest unused of many files looks at that one`() {
    var files = OpenFiles()
    let ids = (0..<10_000).map { WorkspaceID(UUIDBytes(high: UInt64($0), low: 0)) }
    for id in ids { files.opened(id) }
    for id in ids { files.put(id, .ready) }
    files.put(ids[0], .ready)
    files.put(ids[3], .ready, isUse: false)
    files.put(ids[1], .unsynced)
    files.put(ids[2], .busy)
    files.put(ids[9_999], .ready, isFirst: true)
    #expect(files.oldest(.ready) == ids[9_999] && files.oldest(.unsynced) == ids[1])
    #expect(files.oldest(.busy) == ids[2])
    for id in [ids[9_999], ids[1], ids[2]] { files.closed(id) }
    #expect(files.oldest(.ready) == ids[3] && files.oldest(.unsynced) == nil)
    #expect(files.oldest(.busy) == nil && files.count == 9_997 && files.openedEver == 10_000)
  }
}
