import Archive
import Foundation
import HTTPTestKit
import Relay
import Testing
import Wire

@testable import Server

/// The routes and commands of backups, on a real relay and on its directory when it has ended.
@Suite struct ArchiveCommandTests {
  let scene: RelayScene
  private var folder: String { scene.server.path + "-backup" }
  private var data: String { scene.server.path }

  init() throws { scene = try RelayScene() }

  private func send(_ number: Int) throws {
    let answer = try scene.client.call(
      "POST", "/w/\(scene.id)/", token: RelayScene.admin,
      body: RelayScene.message(messageID: "m-\(number)"))
    #expect(answer.status == 200)
  }

  private func run(_ name: String, _ arguments: String...) throws -> Int32 {
    try #require(ArchiveCommand(rawValue: name)).run(arguments) { name in
      switch name {
      case "A2A_RELAY_TOKEN": RelayScene.admin
      default: nil
      }
    }
  }

  @Test func `a relay at work is backed up, checked and restored by commands`() throws {
    for number in 1...3 { try send(number) }
    let url = "http://\(scene.server.address)"
    #expect(try run("check", data) == 1, "in use")
    #expect(try run("backup", folder, "--relay", url) == 0)
    #expect(try run("backup", folder, "--relay", url) == 1, "it is there already")
    #expect(try run("check", folder, "--json") == 0)
    #expect(try Manifest(of: folder).messages == 3)
    let status = try scene.client.call("GET", "/admin/backup", token: RelayScene.admin)
    #expect(status.json["state"]?.string == "done" && status.json["messages"]?.int == 3)
    #expect(try run("restore", folder, "--data", data) == 1, "not empty")
    #expect(try run("restore", folder, "--data", data + "-new") == 0)
    #expect(try run("check", data + "-new") == 0)
    scene.server.stop()
    scene.server.ended()
    #expect(try run("check", data) == 0)
    #expect(try run("backup", folder + "2", "--data", data) == 0)
    #expect(try Manifest(of: folder + "2").messages == 3)
    let restored = try RelayTestServer(path: data + "-new")
    let client = try HTTPTestClient(restored)
    for number in 1...3 {
      let inbox = try client.call(
        "GET", "/workspaces/\(scene.id)/inbox?wait=5", token: scene.token)
      #expect(inbox.entry?["seq"]?.int == number)
      #expect(inbox.entry?["redelivered"]?.bool == true)
    }
    for suffix in ["-backup", "-backup2", "-new"] {
      try FileManager.default.removeItem(atPath: data + suffix)
    }
  }

  @Test func `a workspace is exported from one relay and imported into another`() throws {
    try send(1)
    #expect(try run("export", scene.id, folder, "--relay", "http://\(scene.server.address)") == 0)
    let other = try RelayTestServer()
    let url = "http://\(other.address)"
    #expect(try run("import", folder, "--relay", url) == 0)
    #expect(try run("import", folder, "--relay", url) == 1, "it is there already")
    let client = try HTTPTestClient(other)
    let inbox = try client.call("GET", "/workspaces/\(scene.id)/inbox?wait=5", token: scene.token)
    #expect(inbox.entry?["redelivered"]?.bool == true)
    try FileManager.default.removeItem(atPath: folder)
  }

  @Test func `only the operator may ask, and what is wrong is said`() throws {
    let post = { (path: String, token: String?, body: String) in
      try scene.connect().call("POST", path, token: token, body: body)
    }
    for path in ["/admin/backup", "/admin/import"] {
      #expect(try post(path, nil, "{}").status == 401)
      #expect(try post(path, scene.token, "{}").code == "not_found")
      #expect(try post(path, RelayScene.admin, "{}").code == "bad_request")
      #expect(try post(path, RelayScene.admin, "{\"dir\":\"x\"}").code == "bad_request")
    }
    #expect(
      try post("/admin/import", RelayScene.admin, "{\"dir\":\"/nowhere\"}").code
        == "not_importable")
    let unknown = "{\"dir\":\"\(folder)\",\"workspace\":\"00000000-0000-4000-8000-000000000000\"}"
    #expect(try post("/admin/backup", RelayScene.admin, unknown).code == "not_found")
    let none = try scene.client.call("GET", "/admin/backup", token: RelayScene.admin)
    #expect(none.json["state"]?.string == "none")
  }

  @Test func `each way of going wrong has its exit status`() throws {
    #expect(try run("backup") == 64)
    #expect(try run("check", "x", "--what") == 64)
    #expect(try run("export", "x", folder) == 64)
    #expect(try run("restore", folder) == 64)
    #expect(try run("check", "/nowhere") == 74)
    #expect(try run("restore", "/tmp", "--data", data + "-new") == 1)
    #expect(try run("backup", folder, "--relay", "http://127.0.0.1:1") == 69)
    let refused = ArchiveCommand.backup.run(
      [folder, "--relay", "http://\(scene.server.address)"]
    ) { $0 == "A2A_RELAY_TOKEN" ? "wrong" : nil }
    #expect(refused == 77)
    let url = "http://\(scene.server.address)"
    let unknown = "00000000-0000-4000-8000-000000000000"
    #expect(try run("export", unknown, folder, "--relay", url) == 1)
    let own = ArchiveCommand.export.run([scene.id, folder, "--relay", url]) { [scene] name in
      name == "A2A_RELAY_TOKEN" ? scene.token : nil
    }
    #expect(own == 77, "an agent's token is none for that")
  }
}
