import Foundation
import Relay
import Store
import Testing

/// A directory of its own for one test, gone afterwards.
final class Scratch {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "store-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var data: String { path + "/data" }

  func open(
    boot: String = "boot-1", limits: Limits = Limits(), vfs: String? = nil
  ) throws -> DataDirectory {
    try DataDirectory(path: data, limits: limits, kernelBoot: boot, vfs: vfs)
  }
}

let start = WallTime(nanoseconds: 1_700_000_000_000_000_000)
let workspace = WorkspaceID(UUIDBytes(high: 0xAB12_3400_0000_4000, low: 0x8000_0000_0000_0001))

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// A message that opens a task, unless `task` names another.
func newMessage(
  _ seq: Seq, task: Seq? = nil, at: WallTime = start, dedup: UInt64? = nil, body: [UInt8]? = nil
) -> NewMessage {
  NewMessage(
    seq: seq, tag: 0xFEDC_BA98_7654 &+ UInt64(seq), at: at, expires: at + .seconds(3600),
    caller: "caller \(seq)", method: 1, dialect: 2, task: task ?? seq, context: "context \(seq)",
    messageID: "m-\(seq)", dedup: UUIDBytes(high: 7, low: dedup ?? UInt64(seq)),
    rpcID: bytes("\(seq)"), head: bytes("{\"path\":\"/w/\(seq)\"}"),
    body: body ?? bytes("body \(seq)"), isImmediate: false)
}

func handOut(
  _ seq: Seq, fence: Int64, attempt: Int = 1, kind: HandOutRow.Kind = .lease
) -> HandOutRow {
  HandOutRow(
    fence: Fence(number: fence), seq: seq, attempt: attempt, kind: kind, consumer: "agent",
    at: start, leaseEnd: start + .seconds(300))
}

func answer(_ seq: Seq, fence: Int64 = 1, isLate: Bool = false) -> Answer {
  Answer(
    seq: seq, fence: Fence(number: fence), at: start + .seconds(5), isLate: isLate,
    bodyHash: UUIDBytes(high: 1, low: UInt64(seq)), body: bytes("answer \(seq)"))
}
