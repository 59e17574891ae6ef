import Relay
import System
import Testing

@testable import HTTPServer

@Suite struct HTTPDeadlineHeapTests {
  @Test func `slots come up at their earliest deadline, once, in order`() {
    let random = Random()
    for _ in 0..<50 {
      var heap = DeadlineHeap()
      var model: [UInt32: Int64] = [:]
      for _ in 0..<500 {
        let slot = UInt32(random.next() % 64)
        if random.next() % 4 == 0 {
          heap.remove(slot)
          model[slot] = nil
        } else {
          let deadline = Int64(random.next() % 1000)
          heap.set(slot, atOrBefore: Instant(nanoseconds: deadline))
          model[slot] = min(model[slot] ?? .max, deadline)
        }
        #expect(heap.next?.nanoseconds == model.values.min())
        #expect(heap.count == model.count)
      }
      let half = Instant(nanoseconds: 500)
      var last: Int64 = 0
      while let slot = heap.popDue(now: half) {
        let deadline = model.removeValue(forKey: slot) ?? -1
        #expect(deadline >= last && deadline <= 500)
        last = deadline
      }
      #expect(model.values.allSatisfy { $0 > 500 })
    }
  }

  @Test func `a later deadline leaves the slot where it is`() {
    var heap = DeadlineHeap()
    heap.set(3, atOrBefore: Instant(nanoseconds: 10))
    heap.set(3, atOrBefore: Instant(nanoseconds: 20))
    #expect(heap.count == 1)
    #expect(heap.next == Instant(nanoseconds: 10))
    #expect(heap.popDue(now: Instant(nanoseconds: 9)) == nil)
    #expect(heap.popDue(now: Instant(nanoseconds: 10)) == 3)
    #expect(heap.next == nil)
  }
}
