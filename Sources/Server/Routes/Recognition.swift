import Engine
import HTTPServer
import Relay
import Wire

/// Whose credential a connection showed last. It lives as long as the connection: the same one
/// shown again is compared with it, and neither hashed nor looked up.
final class Recognition {
  let credential: Directory.Credential
  let payer: BodyMemory.Payer
  var identity: Identity { credential.identity }
  private let secret: [UInt8]
  /// Of the directory: any change of it makes this void.
  private let generation: UInt64

  init(
    _ secret: ArraySlice<UInt8>, _ credential: Directory.Credential, generation: UInt64,
    payer: BodyMemory.Payer
  ) {
    self.payer = payer
    self.secret = Array(secret)
    self.credential = credential
    self.generation = generation
  }

  func isOf(_ shown: ArraySlice<UInt8>, generation: UInt64, at time: WallTime) -> Bool {
    guard generation == self.generation, ConstantTime.equal(secret[...], shown)
    else { return false }
    return credential.expires.map { $0 > time } ?? true
  }
}

/// The credential that the request in work has shown.
struct ShownCredential {
  var payer: BodyMemory.Payer
  var identity: Identity
  /// When a poll that is parked with it has to end.
  var expires: WallTime?
  var use: TokenUse?
}

extension RelayServer {
  /// Whose credential this is; `nil` for none that counts now.
  func identity(_ secret: ArraySlice<UInt8>?, _ ticket: Ticket, now: Now) -> Identity? {
    guard let secret else { return nil }
    let known = loop?.memo(of: ticket) as? Recognition
    let generation = engine.directory.generation
    let time = engine.credentialTime(now)
    if let known, known.isOf(secret, generation: generation, at: time) {
      return show(known.credential, known.payer, now: now)
    }
    guard let found = engine.directory.credential(secret, at: time) else { return nil }
    let payer = engine.payer(of: found.identity)
    loop?.keep(Recognition(secret, found, generation: generation, payer: payer), for: ticket)
    return show(found, payer, now: now)
  }

  private func show(
    _ credential: Directory.Credential, _ payer: BodyMemory.Payer, now: Now
  ) -> Identity {
    shown = ShownCredential(
      payer: payer, identity: credential.identity, expires: credential.expires,
      use: credential.use)
    if let use = credential.use { engine.registry.tokens.used(use, now: now) }
    // Whatever it asks for, and whether or not it may: its agent is there.
    if case .workspace(let own) = credential.identity { engine.signOfLife(own, now: now) }
    return credential.identity
  }
}
