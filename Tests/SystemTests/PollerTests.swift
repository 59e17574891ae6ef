import System
import Testing

@Suite struct PollerTests {
  @Test func `an event brings back the descriptor and the generation`() throws {
    let poller = try Poller(eventsMax: 4)
    let wakeup = try Wakeup()
    let token = Poller.Token(descriptor: wakeup.raw, generation: 0xFFFF_FFFE)
    try poller.add(token, .readable)
    #expect(try poller.wait(milliseconds: 0) == 0)
    wakeup.signal()
    wakeup.signal()
    #expect(try poller.wait(milliseconds: -1) == 1)
    #expect(poller.event(0).token == token)
    #expect(poller.event(0).events == .readable)
    wakeup.drain()
    #expect(try poller.wait(milliseconds: 0) == 0)
  }

  @Test func `what nobody is interested in is not reported`() throws {
    let poller = try Poller(eventsMax: 4)
    let wakeup = try Wakeup()
    let token = Poller.Token(descriptor: wakeup.raw, generation: 1)
    try poller.add(token, .readable)
    wakeup.signal()
    try poller.modify(token, [])
    #expect(try poller.wait(milliseconds: 0) == 0)
    try poller.remove(token)
    #expect(throws: SystemError.self) { try poller.modify(token, .readable) }
  }
}
