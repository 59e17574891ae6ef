import Relay
import Wire

/// The bytes in the caches of all workspaces together, and their limit.
final class CacheAccount {
  private let bytesMax: Int
  private(set) var bytes = 0

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  fileprivate func take(_ count: Int) -> Bool {
    guard bytes + count <= bytesMax else { return false }
    bytes += count
    return true
  }

  fileprivate func give(back count: Int) { bytes -= count }
}

/// The requests and results that a caller or a poll is about to need. Beyond the limit of the
/// account they are read from the file again.
struct MessageCache {
  struct Entry {
    var head: [UInt8]
    var body: [UInt8]
    /// The range of the message in the body.
    var message: Range<Int>
    var texts: [JSONScanner.Text]
    var result: [UInt8]?

    var bytes: Int { head.count + body.count + (result?.count ?? 0) }
  }

  private let account: CacheAccount
  private var entries: [Seq: Entry] = [:]
  /// The tasks with more than one message, while the request of the first is cached.
  private var continued: Set<Seq> = []

  init(_ account: CacheAccount) { self.account = account }

  var isEmpty: Bool { entries.isEmpty }

  subscript(seq: Seq) -> Entry? { entries[seq] }

  /// Returns whether the message is the only one of its task, as far as the cache knows.
  func isAlone(_ seq: Seq) -> Bool { !continued.contains(seq) }

  mutating func keep(_ entry: Entry, of seq: Seq) {
    guard account.take(entry.bytes) else { return }
    entries[seq] = entry
  }

  /// Notes that a task has got another message.
  mutating func goesOn(task: Seq) {
    if entries[task] != nil { continued.insert(task) }
  }

  /// Keeps the answer beside its request, also while the answer is being stored.
  mutating func keep(_ answer: Answer) {
    guard let entry = entries[answer.seq] else { return }
    entries[answer.seq]?.result = nil
    account.give(back: entry.result?.count ?? 0)
    guard account.take(answer.body.count) else { return }
    entries[answer.seq]?.result = answer.body
  }

  mutating func remove(_ seq: Seq) {
    continued.remove(seq)
    if let entry = entries.removeValue(forKey: seq) { account.give(back: entry.bytes) }
  }

  mutating func removeAll() {
    for entry in entries.values { account.give(back: entry.bytes) }
    entries = [:]
    continued = []
  }
}
