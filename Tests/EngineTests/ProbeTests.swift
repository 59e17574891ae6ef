import CFaultVFS
import CSQLite
import Relay
import Testing
import Wire

@testable import Engine

/// `/ready`: a row is committed for whoever asks, at most once a second.
@Suite struct ProbeTests {
  let bench: Bench

  init() throws {
    bench = try Bench(vfs: "fault")
  }

  private func ask(_ reader: Identity = .anonymous) -> CallID {
    let call = bench.engine.nextCall()
    bench.engine.ready(call, for: reader, now: bench.now)
    return call
  }

  private func status(_ call: CallID) -> Int? { bench.replies[call]?.status }

  @Test func `a probe is answered when its row has passed the barrier`() throws {
    let first = ask()
    bench.turn()
    #expect(status(first) == nil && bench.isWaitingForBarrier)
    let second = ask()
    bench.advance(.milliseconds(3))
    bench.sync()
    for call in [first, second] {
      #expect(status(call) == 200)
      #expect(bench.replies[call]?.json["commit"]?["ok"]?.bool == true)
      #expect(bench.replies[call]?.json["commit"]?["seconds"] == .number("0.003"))
    }
    #expect(bench.engine.metrics.registryWrites == 1)
    bench.expectNothingHeld()
  }

  @Test func `probes within a second share a commit, later ones make their own`() throws {
    _ = ask()
    bench.sync()
    bench.advance(.milliseconds(900))
    let shared = ask()
    bench.turn()
    #expect(status(shared) == 200)
    #expect(bench.engine.metrics.registryWrites == 1)
    bench.advance(.milliseconds(200))
    let own = ask()
    bench.turn()
    #expect(status(own) == nil)
    bench.sync()
    #expect(status(own) == 200)
    #expect(bench.engine.metrics.registryWrites == 2)
  }

  @Test func `a row that cannot be written makes it not ready until one can`() throws {
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, SQLITE_FULL, 1)
    let refused = ask()
    bench.turn()
    fault_arm(0, 0, 0, 0)
    #expect(status(refused) == 503)
    #expect(bench.replies[refused]?.json["reasons"]?.array?.first?.string == "commit_refused")
    bench.advance(.seconds(1))
    let again = ask()
    bench.sync()
    #expect(status(again) == 200)
    #expect(bench.replies[again]?.json["reasons"]?.array?.isEmpty == true)
  }

  @Test func `a barrier that does not come in time is no readiness`() throws {
    let first = ask()
    bench.turn()
    bench.advance(bench.limits.probeTime)
    #expect(bench.engine.nextDeadline().map { $0 <= bench.now.instant } == true)
    bench.turn()
    #expect(status(first) == 503)
    #expect(bench.replies[first]?.json["reasons"]?.array?.first?.string == "commit_slow")
    // It is ready again when the row is there.
    bench.sync()
    let next = ask()
    bench.turn()
    #expect(status(next) == 200)
    bench.expectNothingHeld()
  }

  @Test func `a full disk and the end of the process are reported with their reasons`() throws {
    bench.makeDiskLow()
    let low = ask()
    bench.sync()
    #expect(status(low) == 503)
    #expect(bench.replies[low]?.json["reasons"]?.array?.first?.string == "disk_low")
    bench.makeDiskLow(false)
    bench.engine.shutDown(now: bench.now)
    let ending = ask()
    bench.turn()
    #expect(status(ending) == 503)
    #expect(bench.replies[ending]?.json["reasons"]?.array?.first?.string == "shutting_down")
  }

  @Test func `how many workspaces are unavailable is told to all, which ones to their operators`()
    throws
  {
    let ids = try (0..<2).map { _ in try bench.create() }
    bench.engine.pool.unopenable = Set(ids)
    let readers: [(Identity, Int?)] = [
      (.anonymous, nil), (.workspace(ids[0]), nil), (.org(Registry.defaultOrg, .send), nil),
      (.admin, 2), (.org(Registry.defaultOrg, .read), 2), (.org(Registry.defaultOrg, .admin), 2),
      (.org("other", .admin), 0),
    ]
    // Some wait for the probe, the others find its outcome.
    let waiting = readers.map { ask($0.0) }
    bench.sync()
    let told = readers.map { ask($0.0) }
    bench.turn()
    for (index, (reader, named)) in (readers + readers).enumerated() {
      let reply = try #require(bench.replies[(waiting + told)[index]])
      #expect(reply.status == 200 && reply.json["status"] == "degraded")
      #expect(reply.json["unavailable"]?.int == 2)
      #expect(reply.json["unavailable_workspaces"]?.array?.count == named, "\(reader)")
      #expect(reply.text.contains(ids[0].text) == (named == 2), "\(reader)")
    }
  }
}
