import Testing

@testable import Relay

/// A table of numbers does what a dictionary does.
@Suite struct NumberTableTests {
  @Test func `it holds what a dictionary holds`() {
    var dice = Dice(seed: 6)
    var table: NumberTable<UInt64, [Int]> = [:]
    var model: [UInt64: [Int]] = [:]
    for step in 0..<60_000 {
      // Runs of near keys and keys that are far apart, few enough to meet again.
      let near = 1 + dice.next() % 97
      let key = dice.next() % 2 == 0 ? near : near << 40
      switch dice.next() % 6 {
      case 0, 1:
        table[key] = [step]
        model[key] = [step]
      case 2: #expect(table.removeValue(forKey: key) == model.removeValue(forKey: key))
      case 3:
        table[key] = nil
        model[key] = nil
      case 4:
        table[key]?.append(step)
        model[key]?.append(step)
      default:
        table[key, default: []].append(step)
        model[key, default: []].append(step)
      }
      #expect(table[key] == model[key] && table.count == model.count)
      if step % 1000 == 0 {
        #expect(Dictionary(uniqueKeysWithValues: table.map { ($0.key, $0.value) }) == model)
        #expect(table.keys.sorted() == model.keys.sorted())
        #expect(table.values.count == model.count)
      }
    }
  }

  @Test func `an optional chain that ends in nothing removes`() {
    var table: NumberTable<Int64, Int> = [1: 1, 2: 2]
    func clear(_ value: inout Int?) { value = nil }
    clear(&table[1])
    clear(&table[3])
    #expect(table[1] == nil && table[2] == 2 && table.count == 1 && !table.isEmpty)
  }

  @Test func `zero is not there`() {
    var table: NumberTable<Int64, Int> = [:]
    #expect(table[0] == nil && table.isEmpty)
    table[7] = 1
    #expect(table[0] == nil && table.removeValue(forKey: 0) == nil)
    table[0] = nil
    #expect(table.count == 1)
  }

  @Test func `a copy stays as it was while it is walked`() {
    var table: NumberTable<Int64, Int> = [:]
    for key in 1...1000 { table[Int64(key)] = key }
    for (key, value) in table {
      #expect(Int(key) == value)
      table[key] = nil
    }
    #expect(table.isEmpty)
  }
}
