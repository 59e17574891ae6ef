import Engine
import HTTPServer
import Relay
import Wire

/// The credential that a connection showed last, kept with the connection: when the same one is
/// shown again it is compared with this, and neither hashed nor looked up.
final class Recognition {
  let credential: Directory.Credential
  let payer: BodyMemory.Payer
  var identity: Identity { credential.identity }
  private let secret: [UInt8]
  /// The directory's generation: any change of the directory makes the recognition void.
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

  var shown: ShownCredential {
    ShownCredential(
      payer: payer, identity: credential.identity, expires: credential.expires,
      use: credential.use)
  }
}

/// A credential that counts, as a request has shown it.
struct ShownCredential {
  /// Whose share of the memory the request and its answer take.
  var payer: BodyMemory.Payer
  var identity: Identity
  /// When a poll that is parked with it has to end.
  var expires: WallTime?
  var use: TokenUse?
}

/// Finds the identity that a credential proves. A lookup changes nothing in the relay.
struct Credentials {
  let engine: Engine

  /// Returns `nil` for a credential that does not count now.
  func find(
    _ secret: ArraySlice<UInt8>, on ticket: Ticket, of loop: Loop, now: Now
  ) -> ShownCredential? {
    let generation = engine.directory.generation
    let time = engine.credentialTime(now)
    if let known = loop.memo(of: ticket) as? Recognition,
      known.isOf(secret, generation: generation, at: time)
    {
      return known.shown
    }
    guard let found = engine.directory.credential(secret, at: time) else { return nil }
    let known = Recognition(
      secret, found, generation: generation, payer: engine.payer(of: found.identity))
    loop.keep(known, for: ticket)
    return known.shown
  }

  /// Notes that a credential was shown, whatever for and whether or not its holder may: the time of
  /// the token's last use, and that its agent is there. The only effect of a credential.
  func noteUse(of shown: ShownCredential, now: Now) {
    if let use = shown.use { engine.registry.tokens.used(use, now: now) }
    if case .workspace(let own) = shown.identity { engine.agents.signOfLife(own, now: now) }
  }
}
