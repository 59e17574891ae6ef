import Relay
import Testing
import Wire

@testable import HTTPServer

@Suite struct MemoryShareTests {
  /// An account of 1,000 bytes, of which one payer may use 250 for bodies and 250 for answers.
  private let memory: BodyMemory

  init() {
    var limits = Limits()
    limits.bodiesInMemoryMax = 1000
    limits.bodySharePercent = 25
    limits.anonymousSharePercent = 25
    limits.unreadSharePercent = 25
    memory = BodyMemory(limits)
  }

  private func reserve(
    _ share: inout MemoryShare, _ framing: HTTPFraming, for payer: BodyMemory.Payer
  ) -> Bool {
    share.reserve(framing, bodyMax: 500, for: payer, in: memory)
  }

  @Test func `an announced body counts before its bytes come`() {
    let payer = memory.newPayer()
    var share = MemoryShare()
    #expect(reserve(&share, .length(200), for: payer))
    #expect(memory.used == 200)
    #expect(result(share.bodyGrows(to: 150, in: memory)))
    #expect(memory.used == 200)
    share.setBody(0, in: memory)
    #expect(memory.used == 0)
  }

  @Test func `a second body over the share is refused and not counted`() {
    let payer = memory.newPayer()
    var first = MemoryShare()
    var second = MemoryShare()
    #expect(reserve(&first, .length(200), for: payer))
    #expect(!reserve(&second, .length(51), for: payer))
    #expect(memory.used == 200)
    #expect(reserve(&second, .length(50), for: payer))
  }

  @Test func `of a peer without a credential only the bytes that come are counted`() {
    var share = MemoryShare()
    #expect(reserve(&share, .length(200), for: .anonymous))
    #expect(memory.used == 0)
    #expect(result(share.bodyGrows(to: 120, in: memory)))
    #expect(memory.used == 120)
  }

  @Test func `a body of unknown size counts as it grows, until it no longer fits`() {
    let payer = memory.newPayer()
    var share = MemoryShare()
    #expect(reserve(&share, .chunked, for: payer))
    #expect(result(share.bodyGrows(to: 100, in: memory)))
    #expect(result(share.bodyGrows(to: 250, in: memory)))
    #expect(!result(share.bodyGrows(to: 251, in: memory)))
    share.setBody(0, in: memory)
    #expect(memory.used == 0)
  }

  @Test func `a body larger than allowed is left to the parser`() {
    var share = MemoryShare()
    #expect(reserve(&share, .length(501), for: memory.newPayer()))
    #expect(memory.used == 0)
  }

  @Test func `a payer who leaves too much unread sends nothing more`() {
    let payer = memory.newPayer()
    var reader = MemoryShare()
    var sender = MemoryShare()
    #expect(reserve(&reader, .none, for: payer))
    reader.setAnswer(250, in: memory)
    #expect(!reserve(&sender, .none, for: payer))
    reader.setAnswer(100, in: memory)
    #expect(reserve(&sender, .none, for: payer))
    reader.setAnswer(0, in: memory)
    #expect(memory.used == 0)
  }

  @Test func `heads count while they are held`() {
    var share = MemoryShare()
    share.setHead(30, in: memory)
    share.setHead(10, in: memory)
    #expect(memory.used == 10)
    share.setHead(0, in: memory)
    #expect(memory.used == 0)
  }
}

/// `#expect` cannot take a mutating call, but its result.
private func result(_ value: Bool) -> Bool { value }
