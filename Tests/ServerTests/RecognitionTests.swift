import Engine
import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// A credential that a connection has shown before is believed for as long as nothing has changed.
@Suite struct RecognitionTests {
  private static let id = WorkspaceID(UUIDBytes(high: 1, low: 2))
  private let secret = Array("rtok_secret".utf8)[...]
  private let now = WallTime(nanoseconds: 1000)
  private var directory = Directory()

  private var row: RegisteredToken {
    RegisteredToken(
      hash: SHA256.hash(Array(secret)).bytes, workspace: Self.id, org: "", kind: .agent,
      createdAt: now, fingerprint: "f")
  }

  private func recognition(_ directory: Directory) throws -> Recognition {
    Recognition(
      secret, try #require(directory.credential(secret, at: now)),
      generation: directory.generation, payer: .nobody)
  }

  @Test mutating func `only the same secret is recognised`() throws {
    directory.add(row)
    let known = try recognition(directory)
    #expect(known.identity == .workspace(Self.id))
    #expect(known.isOf(secret, generation: directory.generation, at: now))
    for other in ["rtok_secreT", "rtok_secre", "rtok_secrets", ""] {
      #expect(!known.isOf(Array(other.utf8)[...], generation: directory.generation, at: now))
    }
  }

  @Test mutating func `a change of the directory makes it void`() throws {
    directory.add(row)
    let changes: [(inout Directory) -> Void] = [
      { [row, now] in $0.revoke(row.hash, at: now) }, { [row] in $0.add(row) },
      { $0.setAdmin(secret: "other") },
      {
        $0.put(
          RegisteredWorkspace(
            id: Self.id, name: "", org: "", createdAt: WallTime(nanoseconds: 0), card: [],
            settings: "{}"))
      },
    ]
    for change in changes {
      var changed = directory
      let known = try recognition(changed)
      change(&changed)
      #expect(!known.isOf(secret, generation: changed.generation, at: now))
    }
    var revoked = directory
    revoked.revoke(row.hash, at: now)
    #expect(revoked.credential(secret, at: now) == nil)
  }

  @Test mutating func `a sign of life changes nothing`() throws {
    directory.add(row)
    let known = try recognition(directory)
    directory.seen(Self.id, at: now)
    #expect(known.isOf(secret, generation: directory.generation, at: now))
  }

  @Test mutating func `it expires with its credential`() throws {
    var row = row
    row.expiresAt = WallTime(nanoseconds: 2000)
    directory.add(row)
    let known = try recognition(directory)
    let generation = directory.generation
    #expect(known.isOf(secret, generation: generation, at: WallTime(nanoseconds: 1999)))
    #expect(!known.isOf(secret, generation: generation, at: WallTime(nanoseconds: 2000)))
    #expect(directory.credential(secret, at: WallTime(nanoseconds: 2000)) == nil)
  }

  @Test func `on one connection every request shows its own credential`() throws {
    let scene = try RelayScene()
    let other = try RelayScene.make(scene.connect())
    let client = try scene.connect()
    func poll(_ id: String, _ token: String?) throws -> Int {
      try client.call("GET", "/workspaces/\(id)/inbox?wait=0", token: token).status
    }
    for _ in 0..<2 {
      #expect(try poll(scene.id, scene.token) == 204)
      #expect(try poll(scene.id, other.token) == 404)
      #expect(try poll(other.id, other.token) == 204)
      #expect(try poll(scene.id, "rtok_wrong") == 401)
      #expect(try poll(scene.id, nil) == 401)
      #expect(try poll(scene.id, RelayScene.admin) == 404)
    }
  }
}
