import API
import CFaultVFS
import Foundation
import Relay
import Store
import System
import Testing
import Wire

@testable import Engine

/// An engine on real files, with a clock and a barrier that the test moves.
///
/// `turn` ends a turn and keeps what left it in `replies`; nothing passes the barrier before
/// `sync`.
final class Bench {
  let path: String
  let limits: Limits
  private(set) var data: DataDirectory
  private(set) var engine: Engine
  var now = Now(
    instant: Instant(nanoseconds: 1_000_000_000),
    wall: WallTime(nanoseconds: 1_700_000_000_000_000_000))
  /// By call; each call has at most one.
  private(set) var replies: [CallID: Shown] = [:]
  private var unsynced: [UInt64] = []
  /// Whether the last round was one operation and all that waited.
  private(set) var wasLone = false
  private let vfs: String?

  /// Time stands still here: no transaction waits for a barrier that the test has not let pass, but
  /// where a test says so.
  init(limits: Limits = Limits(), vfs: String? = nil, commitWaitMax: Duration = .zero) throws {
    var limits = limits
    limits.commitWaitMax = commitWaitMax
    path = NSTemporaryDirectory() + "engine-tests-" + UUID().uuidString
    self.limits = limits
    self.vfs = vfs
    // No fault of the test before is left.
    if vfs == "fault" {
      fault_register()
      fault_arm(0, 0, 0, 0)
    }
    (data, engine) = try Bench.open(path, limits, vfs, boot: "boot-1")
    engine.start(now: now)
  }

  convenience init(_ change: (inout Limits) -> Void) throws {
    var limits = Limits()
    change(&limits)
    try self.init(limits: limits)
  }

  deinit {
    for suffix in ["", "-backup"] { try? FileManager.default.removeItem(atPath: path + suffix) }
  }

  private static func open(
    _ path: String, _ limits: Limits, _ vfs: String?, boot: String
  ) throws -> (DataDirectory, Engine) {
    let data = try whenUnlocked {
      try DataDirectory(path: path, limits: limits, kernelBoot: boot, vfs: vfs)
    }
    let engine = try Engine(
      data: data, limits: limits, publicURL: "http://relay", random: Random(),
      log: Log(level: quiet, format: .text))
    return (data, engine)
  }

  /// Opens a directory whose lock may be held for a moment though it was let go: a process that
  /// another test starts has a copy of every descriptor between fork and exec.
  private static func whenUnlocked(_ open: () throws -> DataDirectory) throws -> DataDirectory {
    for _ in 0..<10_000 {
      do { return try open() } catch let error as StoreError where error.kind == .busy {
        sched_yield()
      }
    }
    return try open()
  }

  private static var quiet: Log.Level {
    ProcessInfo.processInfo.environment["TEST_LOG"] == nil ? .error : .debug
  }

  /// As after `kill -9` (`isClean` false) or SIGTERM: another engine on the same directory.
  /// `before`: what is done before the new engine starts.
  func restart(
    isClean: Bool = true, boot: String = "boot-1", before: (Engine) throws -> Void = { _ in }
  ) throws {
    if isClean { engine.close(now: now) }
    replies = [:]
    unsynced = []
    // The lock is the object's: the old one goes before the new one comes.
    let parking = try Bench.open(path + "-parking", limits, nil, boot: boot)
    (data, engine) = parking
    (data, engine) = try Bench.open(path, limits, vfs, boot: boot)
    try FileManager.default.removeItem(atPath: path + "-parking")
    try before(engine)
    engine.start(now: now)
  }

  // MARK: turns

  func advance(_ duration: Duration) {
    now = Now(instant: now.instant + duration, wall: now.wall + duration)
  }

  /// Ends the turn: what may leave without a barrier is in `replies` then.
  func turn(atMost count: Int = 3) {
    // What a refused commit has led to is for a turn that comes at once.
    for _ in 0..<count {
      engine.tick(now: now)
      if let work = engine.endTurn(now: now) {
        unsynced.append(work.number)
        wasLone = work.isLone
      }
      collect()
      if engine.commits.hasNothingTouched, !engine.replies.hasDeferred { return }
    }
  }

  /// The barrier reports, until nothing is on its way.
  func sync() {
    turn()
    for _ in 0..<40 where !unsynced.isEmpty {
      let number = unsynced[unsynced.count - 1]
      unsynced = []
      engine.barrierPassed(number, now: now)
      collect()
      turn()
    }
    #expect(unsynced.isEmpty)
  }

  /// The barrier reports once: what follows from that has begun, and is not committed.
  func passBarrier() {
    turn()
    guard let number = unsynced.last else { return }
    unsynced = []
    engine.barrierPassed(number, now: now)
    collect()
  }

  var isWaitingForBarrier: Bool { !unsynced.isEmpty }

  var renderer: Renderer { Renderer(urls: engine.registry.urls, limits) }

  var backupJSON: JSON { renderer.backup(engine.backups.status) }

  /// A workspace as operators see it.
  func status(_ id: WorkspaceID) throws -> JSON {
    renderer.registry.status(try engine.operators.workspaceStatus(id, now: now), now: now.wall)
  }

  private func collect() {
    for reply in engine.replies.take() {
      #expect(replies[reply.call] == nil, "a call is answered once")
      replies[reply.call] = Shown(reply, by: renderer)
    }
  }

  func wait(_ duration: Duration) {
    advance(duration)
    sync()
  }

  /// The clocks are watched from now on: nothing is known of how they were.
  func forgetClocks() {
    engine.services.clocks = Clocks(limits, engine.metrics, Log(level: Bench.quiet, format: .text))
  }

  /// Somebody sets the wall clock.
  func moveClock(_ duration: Duration) {
    engine.watchClock(now)
    now = Now(instant: now.instant, wall: now.wall + duration)
    engine.watchClock(now)
  }

  /// The next look finds the disk below the high-water mark, or one byte above it.
  func makeDiskLow(_ isLow: Bool = true) {
    let free = data.highWater + (isLow ? -1 : 1)
    engine.disk.freeBytes = { _ in free }
    engine.checkDisk(takesReserves: false)
  }

  /// A call has left nothing behind.
  func expectNothingHeld(_ location: SourceLocation = #_sourceLocation) {
    let engine = engine
    #expect(engine.heldCallers.isEmpty, sourceLocation: location)
    #expect(engine.replies.hasNoBatches, sourceLocation: location)
    #expect(engine.replies.memory.used == 0, sourceLocation: location)
    #expect(!engine.registry.hasPendingRows && engine.isIdle, sourceLocation: location)
    for workspace in engine.pool.all {
      let (waiting, jobs) = (workspace.waiting, workspace.jobState)
      #expect(workspace.openCalls.isEmpty && waiting.isEmpty, sourceLocation: location)
      #expect(waiting.cancels.isEmpty && waiting.afterWrite.isEmpty, sourceLocation: location)
      #expect(workspace.transaction.rounds.isEmpty, sourceLocation: location)
      #expect(jobs.replays.isEmpty && jobs.scans.isEmpty, sourceLocation: location)
      #expect(jobs.operations.isEmpty, sourceLocation: location)
    }
  }
}

/// A reply, as it is shown.
@dynamicMemberLookup
struct Shown {
  let reply: Reply
  let status: Int
  let headers: [(String, String)]
  let body: [UInt8]

  init(_ reply: Reply, by renderer: Renderer) {
    let rendered = renderer.response(to: reply)
    self.reply = reply
    (status, headers, body) = (rendered.status, rendered.headers, rendered.body)
  }

  subscript<Value>(dynamicMember path: KeyPath<Reply, Value>) -> Value { reply[keyPath: path] }

  var json: JSON { (try? JSON(parsing: body)) ?? .null }
  var text: String { String(decoding: body, as: UTF8.self) }
  /// Of an error of the relay's own routes.
  var code: String? { json["code"]?.string }
  /// Of a JSON-RPC error.
  var rpcCode: Int? { json["error"]?["code"]?.int }
  var reason: String? { json["error"]?["data"]?.array?.first?["reason"]?.string }
  var delivered: String? {
    json["error"]?["data"]?.array?.first?["metadata"]?["delivered"]?.string
  }
  var task: JSON? { json["result"]?["task"] ?? json["result"] }
  var state: String? { task?["status"]?["state"]?.string }
  var entries: [JSON] { json["messages"]?.array ?? [] }
  func header(_ name: String) -> String? { headers.first { $0.0 == name }?.1 }
}
