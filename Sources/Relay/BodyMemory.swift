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
  /// One property, so that each charge is one access to this object.
  private var account = Account()
  private var orgs: [String: Int] = [:]

  package init(_ limits: Limits) { self.limits = limits }

  package var used: Int { account.used }

  /// The most that was used since `forgetPeak`.
  package var peak: Int { account.peak }

  package func newPayer(of org: String? = nil) -> Payer {
    account.addPayer(org: org.map(place) ?? 0)
  }

  private func place(of org: String) -> Int {
    if let known = orgs[org] { return known }
    let place = account.addOrg()
    orgs[org] = place
    return place
  }

  package var isFull: Bool { account.used >= limits.bodiesInMemoryMax }

  /// The bytes of `payer`'s responses that have not left, and of anonymous bodies.
  package func owed(by payer: Payer) -> Int { account.owed(by: payer) }

  /// Whether a response of `bytes` may be made for `payer`. A response of any size that there is
  /// room for fits into a share that is not used up.
  package func mayAnswer(_ payer: Payer, bytes: Int = 1) -> Bool {
    if payer == .nobody { return true }
    let share = share(payer)
    return account.free(limits) >= bytes && account.owed(by: payer) < share
      && account.hasRoom(for: bytes, of: payer, limits)
  }

  /// Whether a body of `bytes` may be received: it counts from its announcement. One body of any
  /// size fits into a share that is empty.
  package func fits(_ bytes: Int, of payer: Payer) -> Bool {
    guard bytes <= account.free(limits) else { return false }
    switch payer {
    case .nobody: return true
    case .anonymous: return bytes <= share(payer) - account.owed(by: payer)
    default:
      let held = account.arriving(from: payer)
      return (held == 0 || bytes <= part(limits.bodySharePercent) - held)
        && account.hasRoom(for: bytes, of: payer, limits)
    }
  }

  private func share(_ payer: Payer) -> Int {
    part(payer == .anonymous ? limits.anonymousSharePercent : limits.unreadSharePercent)
  }

  private func part(_ percent: Int) -> Int {
    Account.part(percent, of: limits.bodiesInMemoryMax)
  }

  /// A body that is being received grows, or is discarded.
  package func body(_ change: Int, of payer: Payer) {
    if change != 0 { account.body(change, of: payer) }
  }

  /// A response is made, or has left.
  package func answer(_ change: Int, for payer: Payer) {
    if change != 0 { account.answer(change, for: payer) }
  }

  /// The incomplete request heads in memory grow, or are discarded.
  package func head(_ change: Int) {
    if change != 0 { account.head(change) }
  }

  package var headsFit: Bool { account.heads <= part(limits.headSharePercent) }

  package func forgetPeak() { account.forgetPeak() }
}

extension BodyMemory {
  /// The bytes, by what they are for and by who pays.
  fileprivate struct Account {
    private struct Share {
      /// The bytes of responses that have not left, and of bodies that are being received.
      var owed = 0
      var arriving = 0
      /// The place in `held`; the first place is shared by payers without an org.
      var org = 0
    }

    private(set) var used = 0
    private(set) var peak = 0
    private(set) var heads = 0
    private var shares = [Share(), Share(), Share()]
    /// The bytes that the payers of each org owe and send.
    private var held = [0]

    mutating func addPayer(org: Int) -> Payer {
      shares.append(Share(org: org))
      return Payer(index: shares.count - 1)
    }

    mutating func addOrg() -> Int {
      held.append(0)
      return held.count - 1
    }

    func free(_ limits: Limits) -> Int { limits.bodiesInMemoryMax - used }

    func owed(by payer: Payer) -> Int {
      let share = shares[payer.index]
      return share.owed + (payer == .anonymous ? share.arriving : 0)
    }

    func arriving(from payer: Payer) -> Int { shares[payer.index].arriving }

    /// An org that holds nothing may have one response of any size.
    func hasRoom(for bytes: Int, of payer: Payer, _ limits: Limits) -> Bool {
      let org = shares[payer.index].org
      guard org > 0, held[org] > 0 else { return true }
      return held[org] + bytes
        <= Self.part(limits.orgSharePercent, of: free(limits) - bytes)
    }

    static func part(_ percent: Int, of bytes: Int) -> Int {
      bytes / 100 * percent + bytes % 100 * percent / 100
    }

    mutating func body(_ change: Int, of payer: Payer) {
      use(change)
      shares[payer.index].arriving += change
      held[shares[payer.index].org] += change
    }

    mutating func answer(_ change: Int, for payer: Payer) {
      use(change)
      shares[payer.index].owed += change
      held[shares[payer.index].org] += change
    }

    mutating func head(_ change: Int) {
      use(change)
      heads += change
    }

    private mutating func use(_ change: Int) {
      used += change
      if used > peak { peak = used }
    }

    mutating func forgetPeak() { peak = used }
  }
}
