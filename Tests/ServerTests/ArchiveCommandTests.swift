import Archive
import Foundation
import HTTPTestKit
import Relay
import System
import Testing
import Wire

@testable import Commands
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

  private func run(_ line: String..., token: String = RelayScene.admin) -> System.ExitStatus {
    let console = Console(
      out: { _ in }, error: { _ in }, variables: ["A2A_RELAY_TOKEN": token])
    return CommandTable.run(line, console: console)
  }

  @Test func `a relay at work is backed up, checked and restored by commands`() throws {
    for number in 1...3 { try send(number) }
    let url = "http://\(scene.server.address)"
    #expect(run("check", data) == .refused, "in use")
    #expect(run("backup", folder, "--relay", url) == .done)
    #expect(run("backup", folder, "--relay", url) == .refused, "it is there already")
    #expect(run("check", folder, "--json") == .done)
    #expect(try Manifest(of: folder).messages == 3)
    let status = try scene.client.call("GET", "/admin/backup", token: RelayScene.admin)
    #expect(status.json["state"]?.string == "done" && status.json["messages"]?.int == 3)
    #expect(run("restore", folder, "--data", data) == .refused, "not empty")
    #expect(run("restore", folder, "--data", data + "-new") == .done)
    #expect(run("check", data + "-new") == .done)
    scene.server.stop()
    scene.server.ended()
    #expect(run("check", data) == .done)
    #expect(run("backup", folder + "2", "--data", data) == .done)
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
    #expect(run("export", scene.id, folder, "--relay", "http://\(scene.server.address)") == .done)
    let other = try RelayTestServer()
    let url = "http://\(other.address)"
    #expect(run("import", folder, "--relay", url) == .done)
    #expect(run("import", folder, "--relay", url) == .refused, "it is there already")
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
    #expect(run("backup") == .usage)
    #expect(run("check", "x", "--what") == .usage)
    #expect(run("export", "x", folder) == .usage)
    #expect(run("restore", folder) == .usage)
    #expect(run("check", "/nowhere") == .ioError)
    #expect(run("restore", "/tmp", "--data", data + "-new") == .refused)
    #expect(run("backup", folder, "--relay", "http://127.0.0.1:1") == .unavailable)
    let url = "http://\(scene.server.address)"
    #expect(run("backup", folder, "--relay", url, token: "wrong") == .noPermission)
    let wrong = String(repeating: "wrong", count: 5)
    #expect(run("backup", folder, "--relay", url, token: wrong) == .noPermission)
    let unknown = "00000000-0000-4000-8000-000000000000"
    #expect(run("export", unknown, folder, "--relay", url) == .refused)
    let own = run("export", scene.id, folder, "--relay", url, token: scene.token)
    #expect(own == .noPermission, "an agent's token opens no route of the operator")
  }
}
