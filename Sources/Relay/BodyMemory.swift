/// The bytes of bodies in memory: one account, which the loop owns and the broker charges too.
///
/// A body being received, an answer being made and an answer that nobody has read are the same
/// memory, so they share one bound. Each credential has a share of it for the bodies that it sends,
/// another for what it leaves unread, and all who show none have one together: nobody alone can use
/// up what the others need.
package final class BodyMemory {
  /// Who causes the bytes.
  package struct Payer: Hashable, Sendable {
    fileprivate let index: Int

    /// Small answers that are never refused, such as those of probes.
    package static let nobody = Payer(index: 0)
    /// Everybody without a credential; its share counts the bodies that it sends as well.
    package static let anonymous = Payer(index: 1)
    /// Readers of what is public: they are not refused because of anonymous bodies.
    package static let readers = Payer(index: 2)
  }

  private let limits: Limits
  package private(set) var used = 0
  /// By payer: answers that have not left, and bodies that are being received.
  private var owed = [0, 0, 0]
  private var arriving = [0, 0, 0]

  package init(_ limits: Limits) { self.limits = limits }

  package func newPayer() -> Payer {
    owed.append(0)
    arriving.append(0)
    return Payer(index: owed.count - 1)
  }

  package var isFull: Bool { used >= limits.bodiesInMemoryMax }

  /// What `payer` owes: its answers that have not left, and anonymous bodies.
  package func owed(by payer: Payer) -> Int {
    owed[payer.index] + (payer == .anonymous ? arriving[payer.index] : 0)
  }

  /// Whether an answer for `payer` may be made. One of any size fits while there is room at all.
  package func mayAnswer(_ payer: Payer) -> Bool {
    payer == .nobody || !isFull && owed(by: payer) < share(payer)
  }

  /// Whether a body of `bytes` may be received: it counts from its announcement. One body of any
  /// size fits into a share that is empty.
  package func fits(_ bytes: Int, of payer: Payer) -> Bool {
    guard bytes <= limits.bodiesInMemoryMax - used else { return false }
    switch payer {
    case .nobody: return true
    case .anonymous: return bytes <= share(payer) - owed(by: payer)
    default:
      let held = arriving[payer.index]
      return held == 0 || bytes <= part(limits.bodySharePercent) - held
    }
  }

  private func share(_ payer: Payer) -> Int {
    part(payer == .anonymous ? limits.anonymousSharePercent : limits.unreadSharePercent)
  }

  private func part(_ percent: Int) -> Int {
    limits.bodiesInMemoryMax / 100 * percent + limits.bodiesInMemoryMax % 100 * percent / 100
  }

  /// A body that is received grows, or is let go.
  package func body(_ change: Int, of payer: Payer) {
    used += change
    arriving[payer.index] += change
  }

  /// An answer is made, or has left.
  package func answer(_ change: Int, for payer: Payer) {
    used += change
    owed[payer.index] += change
  }
}
