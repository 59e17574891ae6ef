import Foundation
import Relay
import System
import Testing

@testable import Commands
@testable import Server

/// Which relay a command means when its line does not say so.
@Suite struct OperatorPlaceTests {
  private let folder = NSTemporaryDirectory() + "place-" + UUID().uuidString
  private var installed: OperatorPlace.Installation {
    OperatorPlace.Installation(data: folder + "/data", settings: folder + "/environment")
  }

  init() throws {
    try FileManager.default.createDirectory(
      atPath: folder + "/data", withIntermediateDirectories: true)
  }

  private func settings(_ text: String) throws {
    try text.write(toFile: installed.settings, atomically: true, encoding: .utf8)
  }

  private func place(
    data: String? = nil, relay: String? = nil, _ environment: [String: String] = [:]
  ) -> OperatorPlace {
    OperatorPlace(data: data, relay: relay, installed: installed) { environment[$0] }
  }

  @Test func `without a directory of its own a command means the installed service`() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(place().data == installed.data && place().isInstalled && place().isFound)
    #expect(place().url == "http://127.0.0.1:8080")
    #expect(place(["A2A_RELAY_DATA": "", "A2A_RELAY_URL": ""]).data == installed.data)
    #expect(place(data: "x").data == "x" && !place(data: "x").isInstalled)
    #expect(place(["A2A_RELAY_DATA": "y"]).data == "y")
    try FileManager.default.removeItem(atPath: installed.data)
    #expect(place().data == OperatorPlace.local && !place().isInstalled)
  }

  @Test(arguments: [
    ("A2A_RELAY_LISTEN=127.0.0.1:9000\n", "http://127.0.0.1:9000"),
    (
      "# A2A_RELAY_LISTEN=1.2.3.4:1\n;x\n A2A_RELAY_LISTEN = \"0.0.0.0:81\" \n",
      "http://127.0.0.1:81"
    ),
    ("A2A_RELAY_LISTEN='[::]:82'\r\n", "http://[::1]:82"),
    ("A2A_RELAY_LISTEN=10.0.0.7:\\\n83", "http://10.0.0.7:83"),
    ("A2A_RELAY_LISTEN=\n", "http://127.0.0.1:8080"), ("nothing", "http://127.0.0.1:8080"),
  ])
  func `the installed service's settings say where it listens`(text: String, url: String) throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try settings(text)
    #expect(place().url == url && place(data: installed.data + "/").url == url)
    #expect(place(data: "elsewhere").url == "http://127.0.0.1:8080")
    #expect(place(relay: "http://127.0.0.1:1").url == "http://127.0.0.1:1")
    #expect(place(["A2A_RELAY_LISTEN": "127.0.0.1:7"]).url == "http://127.0.0.1:7")
  }

  private func credential(_ place: OperatorPlace) throws -> OperatorCredential {
    try OperatorCredential.find(file: nil, place: place) { _ in nil }
  }

  private func refusal(_ place: OperatorPlace) -> String {
    do { _ = try credential(place) } catch let missing as OperatorCredential.Missing {
      return missing.text
    } catch {}
    return ""
  }

  @Test func `its token is that of its settings or of its directory, and goes to no other machine`()
    throws
  {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(refusal(place()).contains("ENOENT"))
    try "made-credential-22\n".write(
      toFile: installed.data + "/admin-token", atomically: true, encoding: .utf8)
    #expect(try credential(place()).secret == "made-credential-22")
    #expect(try credential(place()).source == installed.data + "/admin-token")
    #expect(try credential(place(relay: "http://127.0.0.1:9")).secret == "made-credential-22")
    #expect(refusal(place(relay: "http://10.1.2.3:8080")).contains("--token-file"))
    let elsewhere = place(data: installed.data, relay: "http://10.1.2.3:1")
    #expect(try credential(elsewhere).secret == "made-credential-22", "whose directory was named")
    try settings("ADMIN_TOKEN=\"of-the-\\\"settings\\\"\"\nA2A_RELAY_LISTEN=10.1.2.3:8080\n")
    #expect(try credential(place()).secret == "of-the-\"settings\"")
    #expect(try credential(place(relay: "http://10.1.2.3:8080")).source.contains("environment"))
    try FileManager.default.removeItem(atPath: installed.data)
    #expect(refusal(place()).contains("nor is a service installed here"))
  }

  @Test func `who may not read the token hears as whom to run`() async throws {
    // Root may read everything, and another user's process must not run the others' tests.
    await #expect(processExitsWith: .exitCode(0)) {
      let folder = "/tmp/place-denied-\(getpid())"
      mkdir(folder, 0o755)
      mkdir(folder + "/data", 0o700)
      let file = open(folder + "/data/admin-token", O_WRONLY | O_CREAT, 0o600)
      close(file)
      chmod(folder + "/data", 0)
      if getuid() == 0 { setuid(65_534) }
      let installed = OperatorPlace.Installation(data: folder + "/data", settings: "/nowhere")
      let place = OperatorPlace(data: nil, relay: nil, installed: installed) { _ in nil }
      do throws(OperatorCredential.Missing) {
        _ = try OperatorCredential.find(file: nil, place: place) { _ in nil }
      } catch {
        exit(error.text.contains("run as root or as user a2a-relay") ? 0 : 1)
      }
      exit(2)
    }
  }
}
