import Testing

@testable import Relay

@Suite struct WordsTests {
  @Test func `an id says what it was made of`() {
    var dice = Dice(seed: 3)
    for _ in 0..<2000 {
      let seq = Seq(1 + dice.next() % (1 << 42 - 1))
      let tag = dice.next() & 0xFFFF_FFFF_FFFF
      let short = UInt32(truncatingIfNeeded: dice.next())
      let id = MessageID(workspace: short, seq: seq, tag: tag)
      let read = MessageID(id.text.uppercased())
      #expect(read == id)
      #expect(read?.seq == seq && read?.tag == tag && read?.workspace == short)
    }
  }

  @Test func `a UUID is read as it was written`() {
    var dice = Dice(seed: 4)
    for _ in 0..<2000 {
      let bytes = UUIDBytes(high: dice.next(), low: dice.next())
      #expect(UUIDBytes(bytes.text) == bytes)
    }
  }

  @Test(arguments: [
    "", "0", "00000000-0000-0000-0000-00000000000", "00000000-0000-0000-0000-0000000000000",
    "00000000x0000-0000-0000-000000000000", "g0000000-0000-0000-0000-000000000000",
    "000000000000-0000-0000-0000-00000000", "ü0000000-0000-0000-0000-00000000000",
  ])
  func `a text that is no UUID is refused`(text: String) {
    #expect(UUIDBytes(text) == nil)
    #expect(MessageID(text) == nil)
  }

  @Test func `a UUID is written in the digits of its two words`() {
    var dice = Dice(seed: 6)
    for _ in 0..<2000 {
      let bytes = UUIDBytes(high: dice.next(), low: dice.next())
      let digits = [bytes.high, bytes.low].map { word in
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
      }
      #expect(bytes.text.filter { $0 != "-" } == digits.joined())
      #expect(bytes.text.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
      var appended: [UInt8] = [1]
      bytes.append(to: &appended)
      #expect(appended == [1] + Array(bytes.text.utf8))
    }
  }

  @Test func `a UUID takes digits in its places, dashes in theirs and nothing else`() {
    let good = Array("01234567-89ab-cdef-ABCD-EF0123456789".utf8)
    let hex = Set("0123456789abcdefABCDEF".utf8)
    for at in good.indices {
      for byte in 0...UInt8(0x7F) {
        var text = good
        text[at] = byte
        let isGood = good[at] == UInt8(ascii: "-") ? byte == good[at] : hex.contains(byte)
        let read = UUIDBytes(String(decoding: text, as: UTF8.self))
        #expect((read != nil) == isGood)
        guard let read else { continue }
        #expect(read.text == String(decoding: text, as: UTF8.self).lowercased())
      }
    }
  }

  @Test func `a UUID that no relay can have made is no message`() {
    #expect(MessageID("00000000-0000-4000-8000-000000000000") == nil)
    #expect(MessageID("00000000-0000-8000-8000-000000000000") == nil, "there is no message 0")
  }

  @Test func `a back-off is within its bounds and grows`() {
    let backOff = BackOff(first: .seconds(1), max: .seconds(300))
    var dice = Dice(seed: 5)
    for attempt in 1...70 {
      let bound = attempt < 10 ? min(300, 1 << (attempt - 1)) : 300
      let delay = backOff.delay(after: attempt, dice: &dice)
      #expect(delay >= .seconds(bound) / 2 && delay <= .seconds(bound))
    }
  }

  @Test func `equal seeds throw equal dice`() {
    var one = Dice(seed: 9)
    var other = Dice(seed: 9)
    for _ in 0..<100 { #expect(one.next() == other.next()) }
  }

  @Test func `a heap gives what a sort gives`() {
    var dice = Dice(seed: 6)
    for _ in 0..<100 {
      var numbers = (0..<Int(dice.next() % 60)).map { _ in Int(dice.next() % 50) }
      var heap = Heap<Int>()
      for number in numbers { heap.insert(number) }
      if dice.next() % 2 == 0 {
        heap.keep { $0 % 3 != 0 }
        numbers.removeAll { $0 % 3 == 0 }
      }
      var popped: [Int] = []
      while let next = heap.popFirst() { popped.append(next) }
      #expect(popped == numbers.sorted())
    }
  }

  @Test func `a round without its sends has no deliveries of them`() {
    let stage = Stage()
    stage.poll()
    stage.arrive()
    #expect(stage.writes.count == 2, "the message and its hand-out")
    #expect(Write.withoutSends(stage.writes).isEmpty)
  }
}
