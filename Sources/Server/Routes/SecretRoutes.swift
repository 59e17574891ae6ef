import API
import Engine
import Relay
import Wire

/// The secrets of workspaces: operators set and delete them, agents read their values.
struct SecretRoutes {
  let engine: Engine
  let calls: OpenCalls

  /// An agent reads its values; an operator reads which secrets there are.
  func list(_ request: Request) {
    if let own = request.ownWorkspace {
      engine.registry.secrets.values(calls.open(request), of: own, isWrapped: true)
    } else {
      let secrets = engine.directory.secrets[request.workspace]
      request.respond(calls.renderer.registry.secretList(secrets))
    }
  }

  /// The values alone.
  func values(_ request: Request) throws(RelayError) {
    guard let own = request.ownWorkspace else { throw .notFound }
    engine.registry.secrets.values(calls.open(request), of: own, isWrapped: false)
  }

  func delete(_ request: Request) {
    engine.registry.secrets.delete(
      calls.open(request), request.text, of: request.workspace, by: request.actor,
      now: request.now)
  }

  func set(_ request: Request) throws(RelayError) {
    let json = try request.object(engine.limits)
    let keyMax = engine.limits.secretKeyBytesMax
    guard let key = json["key"]?.string, isKey(key, bytesMax: keyMax) else {
      return calls.fail(
        request, .badRequest, "member \"key\" must have 1 to \(keyMax) of A-Z a-z 0-9 _ . -")
    }
    // In paths "values" means all values.
    guard key != "values" else {
      return calls.fail(request, .badRequest, "member \"key\" must not be \"values\"")
    }
    let valueMax = engine.limits.secretBytesMax
    guard let value = json["value"]?.string, value.utf8.count <= valueMax else {
      return calls.fail(
        request, .badRequest, "member \"value\" must be a string of at most \(valueMax) bytes")
    }
    engine.registry.secrets.set(
      calls.open(request), key, value, of: request.workspace, by: request.actor, now: request.now)
  }

  private func isKey(_ key: String, bytesMax: Int) -> Bool {
    (1...bytesMax) ~= key.utf8.count
      && key.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."),
          UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}
