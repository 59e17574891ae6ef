import Broker
import Relay
import Wire

/// Whose credential a connection showed last. It lives as long as the connection: the same one
/// shown again is compared with it, and neither hashed nor looked up.
final class Recognition {
  let identity: Identity
  let payer: BodyMemory.Payer
  private let secret: [UInt8]
  private let expires: WallTime?
  /// Of the directory: any change of it makes this void.
  private let generation: UInt64

  init(
    _ secret: ArraySlice<UInt8>, _ credential: Directory.Credential, generation: UInt64,
    payer: BodyMemory.Payer
  ) {
    self.payer = payer
    self.secret = Array(secret)
    identity = credential.identity
    expires = credential.expires
    self.generation = generation
  }

  func isOf(_ shown: ArraySlice<UInt8>, generation: UInt64, at time: WallTime) -> Bool {
    guard generation == self.generation, ConstantTime.equal(secret[...], shown)
    else { return false }
    return expires.map { $0 > time } ?? true
  }
}

extension RelayServer {
  /// Whose credential this is; `nil` for none that counts now.
  func identity(_ secret: ArraySlice<UInt8>?, _ ticket: Ticket, now: Now) -> Identity? {
    guard let secret else { return nil }
    let known = loop?.memo(of: ticket) as? Recognition
    let generation = broker.directory.generation
    if let known, known.isOf(secret, generation: generation, at: now.wall) {
      shown = known.payer
      return known.identity
    }
    guard let found = broker.directory.credential(secret, at: now.wall) else { return nil }
    let payer = broker.payer(of: found.identity)
    shown = payer
    loop?.keep(Recognition(secret, found, generation: generation, payer: payer), for: ticket)
    return found.identity
  }
}
