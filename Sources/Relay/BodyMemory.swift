/// The account of the bytes that bodies take in memory. The loop owns it, and the engine charges it
/// too.
///
/// A body being received, a response being made and a response that nobody has read are the same
/// memory, so they share one bound. Each credential has a share of it for the bodies that it sends,
/// and another for the responses that it leaves unread; all clients without a credential have one
/// share together. The credentials of an org together never hold more than the part that is still
/// free (`Limits.orgSharePercent`): however many there are, the next org finds room. Request heads
/// that are incomplete are in the account as well.
package final class BodyMemory {
  /// The client whose share the bytes are charged to.
  package struct Payer: Hashable, Sendable {
    fileprivate let index: Int

    /// Small answers that are never refused, such as those of probes.
    package static let nobody = Payer(index: 0)
    /// Everybody without a credential; the share also counts the bodies that they send.
    package static let anonymous = Payer(index: 1)
    /// Readers of public pages: they are not refused because of anonymous bodies.
    package static let readers = Payer(index: 2)
  }

  private let limits: Limits
  package private(set) var used = 0
  /// The most that was used since `forgetPeak`.
  package private(set) var peak = 0
  private var heads = 0
  /// The bytes of each payer's responses that have not left, and of bodies that are being received.
  private var owed = [0, 0, 0]
  private var arriving = [0, 0, 0]
  /// Each payer's place in `held`; the first place is shared by payers without an org.
  private var orgOf = [0, 0, 0]
  /// The bytes that the payers of each org owe and send.
  private var held = [0]
  private var orgs: [String: Int] = [:]

  package init(_ limits: Limits) { self.limits = limits }

  package func newPayer(of org: String? = nil) -> Payer {
    owed.append(0)
    arriving.append(0)
    orgOf.append(org.map(place) ?? 0)
    return Payer(index: owed.count - 1)
  }

  private func place(of org: String) -> Int {
    if let known = orgs[org] { return known }
    held.append(0)
    orgs[org] = held.count - 1
    return held.count - 1
  }

  package var isFull: Bool { used >= limits.bodiesInMemoryMax }

  /// The bytes of `payer`'s responses that have not left, and of anonymous bodies.
  package func owed(by payer: Payer) -> Int {
    owed[payer.index] + (payer == .anonymous ? arriving[payer.index] : 0)
  }

  /// Whether a response of `bytes` may be made for `payer`. A response of any size that there is
  /// room for fits into a share that is not used up.
  package func mayAnswer(_ payer: Payer, bytes: Int = 1) -> Bool {
    payer == .nobody
      || bytes <= limits.bodiesInMemoryMax - used && owed(by: payer) < share(payer)
        && hasRoom(for: bytes, in: orgOf[payer.index])
  }

  /// An org that holds nothing may have one response of any size.
  private func hasRoom(for bytes: Int, in org: Int) -> Bool {
    guard org > 0, held[org] > 0 else { return true }
    let free = limits.bodiesInMemoryMax - used - bytes
    return held[org] + bytes <= Self.part(limits.orgSharePercent, of: free)
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
      return (held == 0 || bytes <= part(limits.bodySharePercent) - held)
        && hasRoom(for: bytes, in: orgOf[payer.index])
    }
  }

  private func share(_ payer: Payer) -> Int {
    part(payer == .anonymous ? limits.anonymousSharePercent : limits.unreadSharePercent)
  }

  private func part(_ percent: Int) -> Int {
    Self.part(percent, of: limits.bodiesInMemoryMax)
  }

  private static func part(_ percent: Int, of bytes: Int) -> Int {
    bytes / 100 * percent + bytes % 100 * percent / 100
  }

  /// A body that is being received grows, or is discarded.
  package func body(_ change: Int, of payer: Payer) {
    use(change)
    arriving[payer.index] += change
    held[orgOf[payer.index]] += change
  }

  /// A response is made, or has left.
  package func answer(_ change: Int, for payer: Payer) {
    use(change)
    owed[payer.index] += change
    held[orgOf[payer.index]] += change
  }

  /// The incomplete request heads in memory grow, or are discarded.
  package func head(_ change: Int) {
    use(change)
    heads += change
  }

  package var headsFit: Bool { heads <= part(limits.headSharePercent) }

  private func use(_ change: Int) {
    used += change
    if used > peak { peak = used }
  }

  package func forgetPeak() { peak = used }
}
