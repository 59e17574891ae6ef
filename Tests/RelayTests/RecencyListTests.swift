import Relay
import TestKit
import Testing

@Suite struct RecencyListTests {
  private func drained(_ list: RecencyList<Int>) -> [Int] {
    var list = list
    var keys: [Int] = []
    while let key = list.oldest {
      keys.append(key)
      list.remove(key)
    }
    return keys
  }

  @Test func `keys stand in the order of their last use`() {
    var list = RecencyList<Int>()
    for key in [1, 2, 3, 4, 2, 1] { list.use(key) }
    #expect(drained(list) == [3, 4, 2, 1])
    list.useFirst(1)
    list.useFirst(9)
    #expect(drained(list) == [9, 1, 3, 4, 2])
    #expect(list.count == 5 && list.contains(9) && !list.contains(5))
  }

  @Test func `what is removed leaves its neighbours in order`() {
    var list = RecencyList<Int>()
    for key in 1...5 { list.use(key) }
    for key in [3, 1, 5, 7] { list.remove(key) }
    #expect(drained(list) == [2, 4])
    list.remove(2)
    list.remove(4)
    #expect(list.isEmpty && list.oldest == nil)
    list.use(6)
    #expect(drained(list) == [6])
  }

  /// Against an array that is searched.
  @Test(arguments: 0..<8) func `it is as a plain array in every order of operations`(seed: Int) {
    var dice = Dice(seed: TestSeed.value &+ UInt64(seed))
    var list = RecencyList<Int>()
    var plain: [Int] = []
    for _ in 0..<2000 {
      let key = Int(dice.next() % 24)
      switch dice.next() % 4 {
      case 0:
        plain.removeAll { $0 == key }
        list.remove(key)
      case 1:
        plain.removeAll { $0 == key }
        plain.insert(key, at: 0)
        list.useFirst(key)
      default:
        plain.removeAll { $0 == key }
        plain.append(key)
        list.use(key)
      }
      #expect(list.count == plain.count && list.oldest == plain.first)
    }
    #expect(drained(list) == plain)
  }
}
