import Glibc
import Relay
import Store
import System

/// What SQLite itself gives on this disk with the relay's own schema: the yardstick R.
///
/// Every commit is durable when it returns (`synchronous=FULL`), the WAL is used again from its
/// beginning, and checkpoints run at SQLite's usual 1,000 pages.
struct ReferenceRun {
  static let rowsPerCommit = 64
  static let files = 64
  static let pagesPerCheckpoint = 1_000

  let folder: String

  /// R: messages a second into one file, 64 in each commit.
  func rate(warmUp: Int, seconds: Int) throws(BenchError) -> Double {
    try perSecond(files: 1, rows: Self.rowsPerCommit, warmUp: warmUp, seconds: seconds)
  }

  /// Messages a second into 64 files in turn, one in each commit.
  func spreadRate(warmUp: Int, seconds: Int) throws(BenchError) -> Double {
    try perSecond(files: Self.files, rows: 1, warmUp: warmUp, seconds: seconds)
  }

  private func perSecond(
    files: Int, rows: Int, warmUp: Int, seconds: Int
  ) throws(BenchError) -> Double {
    defer { Scratch.remove(folder) }
    return try attempt("the reference loop") {
      let directory = try DataDirectory(path: folder, limits: Limits())
      var random = SystemRandomNumberGenerator()
      var targets: [Target] = []
      for _ in 0..<files {
        let id = WorkspaceID(random: random.next(), random.next())
        let file = try directory.createWorkspaceFile(id, now: Clock.wall())
        try file.syncAtCommit()
        targets.append(Target(file: file))
      }
      _ = try Self.fill(&targets, rows: rows, seconds: warmUp)
      let rate = try Self.fill(&targets, rows: rows, seconds: seconds)
      for target in targets {
        target.file.markSynced()
        try target.file.close()
      }
      try directory.registry.close()
      return rate
    }
  }

  private struct Target {
    let file: WorkspaceFile
    var seq: Seq = 0
  }

  private static func fill(
    _ targets: inout [Target], rows: Int, seconds: Int
  ) throws -> Double {
    var writes: [Write] = []
    writes.reserveCapacity(rows)
    let start = ticks()
    let end = start + Int64(seconds) * nanosecondsPerSecond
    var now = start
    var done = 0
    while now < end {
      try Interrupt.check()
      for index in targets.indices {
        let wall = Clock.wall()
        writes.removeAll(keepingCapacity: true)
        for _ in 0..<rows {
          targets[index].seq += 1
          writes.append(.message(message(targets[index].seq, at: wall)))
        }
        try targets[index].file.commit(writes)
        if targets[index].file.walPages >= pagesPerCheckpoint {
          try targets[index].file.checkpoint(.passive)
        }
        done += rows
      }
      now = ticks()
    }
    return Double(done) / (Double(now - start) / 1e9)
  }

  private static let head = Array(#"{"method":"POST","path":"/w/","headers":[]}"#.utf8)
  private static let body = RequestBody.send(prefix: "reference", blocking: false).bytes

  /// What the relay stores of one send of `SendsRun`.
  private static func message(_ seq: Seq, at: WallTime) -> NewMessage {
    NewMessage(
      seq: seq, tag: UInt64(truncatingIfNeeded: seq &* 0x9E37_79B9) & 0xFFFF_FFFF_FFFF, at: at,
      expires: at + .seconds(7 * 86400), caller: "admin", method: 1, dialect: 3, task: seq,
      context: "0190f0c2-7b1e-8c3a-9d2f-5a6b7c8d9e0f", messageID: "bench-reference-\(seq)",
      dedup: UUIDBytes(high: UInt64(truncatingIfNeeded: seq) &* 0x9E37_79B9_7F4A_7C15, low: 7),
      rpcID: [0x31], head: head, body: body, isImmediate: true)
  }
}
