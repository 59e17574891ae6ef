import CFaultVFS
import CSQLite
import Foundation
import Relay
import Testing

@testable import Store

@Suite struct DatabaseCopyTests {
  let scratch: Scratch
  let directory: DataDirectory
  let file: WorkspaceFile
  private var target: String { scratch.path + "/copy.db" }

  init() throws {
    fault_register()
    scratch = try Scratch()
    directory = try scratch.open()
    file = try directory.createWorkspaceFile(workspace, now: start)
    for seq in 1...20 { try write(Seq(seq)) }
  }

  private func write(_ seq: Seq) throws {
    try file.commit([
      .message(
        newMessage(seq, body: [UInt8](repeating: UInt8(truncatingIfNeeded: seq), count: 9000)))
    ])
  }

  private func sound(_ path: String) throws {
    #expect(
      try number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'", path)
        == 1)
  }

  @Test func `what is committed between two slices is in the copy, the log included`() throws {
    let copy = try file.copy(to: target)
    var seq: Seq = 20
    while try !copy.step(pages: 3) {
      // Messages before and behind the place that the copy has reached.
      seq += 1
      try write(seq)
      try file.commit([.answer(answer(seq - 20))])
      if seq % 7 == 0 { try file.checkpoint(.passive) }
      if seq > 60 {
        while try !copy.step(pages: 100) {}
        break
      }
    }
    #expect(seq > 40)
    try sound(target)
    #expect(try number("SELECT count(*) FROM message", target) == seq)
    #expect(try number("SELECT count(*) FROM answer", target) == seq - 20)
    #expect(try number("SELECT count(*) FROM message WHERE state = 6", target) == seq - 20)
  }

  /// `isMapped`: the source is a file of an earlier build, with a map of its pages.
  @Test(arguments: [false, true], [true, false])
  func `a source that gives its free pages back between two slices`(
    isMapped: Bool, isCheckpointed: Bool
  ) throws {
    if isMapped { try file.database.execute("PRAGMA auto_vacuum = INCREMENTAL; VACUUM") }
    #expect(try file.database.number("PRAGMA auto_vacuum") == (isMapped ? 2 : 0))
    let copy = try file.copy(to: target)
    #expect(try !copy.step(pages: 20))
    try file.commit([.retire(first: 1, last: 18, cause: .age, at: start)])
    try file.shrink()
    if isCheckpointed { #expect(try file.checkpoint(.truncate)) }
    #expect(try file.database.number("PRAGMA auto_vacuum") == 0)
    try write(21)
    while try !copy.step(pages: 5) {}
    try sound(target)
    #expect(try number("SELECT count(*) FROM message", target) == 3)
    #expect(try number("SELECT sum(length(body)) FROM request", target) == 27_000)
  }

  @Test func `a refused transaction between two slices leaves no trace in the copy`() throws {
    let copy = try file.copy(to: target)
    #expect(try !copy.step(pages: 10))
    #expect(throws: StoreError.self) {
      try file.commit([.message(newMessage(21)), .message(newMessage(1))])
    }
    while try !copy.step(pages: 10) {}
    try sound(target)
    #expect(try number("SELECT count(*) FROM message", target) == 20)
  }

  @Test func `a closed source interrupts its copy, and can be copied anew`() throws {
    let copy = try file.copy(to: target)
    #expect(try !copy.step(pages: 1))
    #expect(file.isBeingCopied)
    file.markSynced()
    try file.close()
    #expect(throws: CopyFailure.self) { try copy.step(pages: 1) }
    let again = try directory.openWorkspaceFile(workspace)
    let second = try again.copy(to: target + "2")
    while try !second.step(pages: 10) {}
    #expect(!again.isBeingCopied || second.bytes == 0)
    #expect(try number("SELECT count(*) FROM message", target + "2") == 20)
  }

  @Test(arguments: [(FAULT_WRITE, Int32(778)), (FAULT_WRITE, SQLITE_FULL)])
  func `a failed write of the copy is the copy's failure alone`(
    fault: (operation: fault_operation, code: Int32)
  ) throws {
    let copy = try file.copy(to: target, vfs: "fault")
    fault_arm(Int32(fault.operation.rawValue), 1, fault.code, 1)
    defer { fault_arm(0, 0, 0, 0) }
    let failure = #expect(throws: CopyFailure.self) {
      while try !copy.step(pages: 10) {}
    }
    let error: StoreError? = if case .destination(let error) = failure { error } else { nil }
    #expect(error?.isFinalForProcess == false && error?.isFinalForWorkspace == false)
    try write(21)
    #expect(try file.message(21) != nil)
  }

  @Test func `a copy whose writes fail while its source commits spoils no commit`() throws {
    let copy = try file.copy(to: target, vfs: "fault")
    #expect(try !copy.step(pages: 40))
    fault_arm(Int32(FAULT_WRITE.rawValue), 1, 778, 1)
    defer { fault_arm(0, 0, 0, 0) }
    for seq in 21...40 { try write(Seq(seq)) }
    #expect(throws: CopyFailure.self) { while try !copy.step(pages: 10) {} }
    #expect(try file.message(40) != nil)
  }

  @Test func `where a file is, no copy is made`() throws {
    try Data([1]).write(to: URL(filePath: target))
    #expect(throws: CopyFailure.self) { try file.copy(to: target) }
    #expect(try Data(contentsOf: URL(filePath: target)) == Data([1]))
  }
}
