import Engine
import Foundation
import Glibc
import HTTPServer
import HTTPTestKit
import Relay
import Store
import System
import Wire

@testable import Server

/// The whole relay on a thread of its own: loop, barrier, files, real sockets.
final class RelayTestServer: @unchecked Sendable {
  // Everything that changes is written before `starting`, or before `ending`, is signalled.
  static let admin = "admin-secret-of-the-tests"
  private(set) var address = SocketAddress(ipv4: 0, port: 0)
  let path: String
  private var stopDescriptor: Int32 = -1
  private var failure: (any Error)?
  private(set) var exitCode: Int32 = -1
  /// What a service manager would have heard.
  private(set) var told: [String] = []
  private let starting = DispatchSemaphore(value: 0)
  private let ending = DispatchSemaphore(value: 0)
  private var hasEnded = false
  private let ownsPath: Bool

  /// Goes with the process: a server whose test has not ended it runs until then, on its thread.
  private static let folder: String = {
    let folder = NSTemporaryDirectory() + "relay-tests-\(getpid())"
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    atexit {
      try? FileManager.default.removeItem(
        atPath: NSTemporaryDirectory() + "relay-tests-\(getpid())")
    }
    return folder
  }()

  /// - `path`: the directory of an earlier one, which has ended.
  /// - `hosts`: names beside the public URL's, which is `http://relay`.
  init(
    _ registration: RegistrationMode = .claim, path: String? = nil, calls: SyncCalls = .kernel,
    watchdog: Duration? = nil, metrics: MetricsAccess = .closed, root: WorkspaceID? = nil,
    hosts: Set<String> = ["a"], limits change: (inout Limits) -> Void = { _ in }
  ) throws {
    var limits = Limits()
    change(&limits)
    ownsPath = path == nil
    self.path = path ?? RelayTestServer.folder + "/" + UUID().uuidString
    Thread { [self, limits] in
      serve(registration, limits, calls, watchdog, metrics, root, hosts)
    }.start()
    starting.wait()
    if let failure { throw failure }
  }

  private func serve(
    _ registration: RegistrationMode, _ limits: Limits, _ calls: SyncCalls,
    _ watchdog: Duration?, _ metrics: MetricsAccess, _ root: WorkspaceID?, _ hosts: Set<String>
  ) {
    do {
      let log = Log(level: .error)
      let data = try DataDirectory(path: path, limits: limits)
      let engine = try Engine(
        data: data, limits: limits, publicURL: "http://relay", random: Random(), log: log)
      engine.registry.setAdmin(secret: RelayTestServer.admin)
      engine.start(now: Clock.now())
      let server = RelayServer(
        engine: engine, data: data, log: log, registration: registration,
        metrics: metrics, rootWorkspace: root, hosts: hosts)
      let loop = try Loop(
        listener: Listener(SocketAddress(ipv4: 0x7F00_0001, port: 0)), limits: limits, log: log,
        application: server)
      let barrier = try Barrier(
        directory: data.descriptor, choice: .auto, supportsSyncfs: false,
        wake: loop.wakeDescriptor, calls: calls)
      server.turns.barrier = barrier
      server.attach(loop)
      server.turns.supervision = Supervision(watchdog: watchdog, log: log) { [unowned self] in
        told.append($0)
        return nil
      }
      server.turns.supervision?.ready(at: "the test", now: Clock.instant())
      address = loop.address
      stopDescriptor = loop.stopDescriptor
      starting.signal()
      try loop.run()
      barrier.stop()
      server.turns.loopEnded()
      engine.close(now: Clock.now())
      exitCode = server.turns.exitStatus.rawValue
    } catch {
      failure = error
      starting.signal()
    }
    ending.signal()
  }

  func stop() { Wakeup.signal(stopDescriptor) }

  /// Waits until everything is closed; hands back the exit status.
  @discardableResult
  func ended() -> Int32 {
    if !hasEnded {
      hasEnded = true
      ending.wait()
    }
    return exitCode
  }

  deinit {
    if !hasEnded { stop() }
    ended()
    if ownsPath { try? FileManager.default.removeItem(atPath: path) }
  }
}

/// One connection to it.
extension HTTPTestClient {
  convenience init(_ server: RelayTestServer) throws { try self.init(to: server.address) }

  func begin(
    _ method: String, _ path: String, token: String? = nil, fields: [(String, String)] = [],
    body: String = ""
  ) throws {
    var text = "\(method) \(path) HTTP/1.1\r\nHost: relay\r\n"
    if let token { text += "Authorization: Bearer \(token)\r\n" }
    for (name, value) in fields { text += "\(name): \(value)\r\n" }
    if method == "POST" || !body.isEmpty { text += "Content-Length: \(body.utf8.count)\r\n" }
    try send(text + "\r\n" + body)
  }

  func call(
    _ method: String, _ path: String, token: String? = nil, fields: [(String, String)] = [],
    body: String = ""
  ) throws -> Answer {
    try begin(method, path, token: token, fields: fields, body: body)
    return try answer(toHead: method == "HEAD")
  }
}

extension HTTPTestClient.Answer {
  var json: JSON { (try? JSON(parsing: body)) ?? .null }
  var code: String? { json["code"]?.string }
  var rpcCode: Int? { json["error"]?["code"]?.int }
  var task: JSON? { json["result"]?["task"] ?? json["result"] }
  var state: String? { task?["status"]?["state"]?.string }
  var entry: JSON? { json["messages"]?.array?.first }
}

/// A relay with a workspace and an agent that has registered.
struct RelayScene {
  let server: RelayTestServer
  let client: HTTPTestClient
  let id: String
  let token: String
  static let admin = RelayTestServer.admin

  init(
    _ registration: RegistrationMode = .claim, settings: String = "", calls: SyncCalls = .kernel,
    limits: (inout Limits) -> Void = { _ in }
  ) throws {
    server = try RelayTestServer(registration, calls: calls, limits: limits)
    client = try HTTPTestClient(server)
    (id, token) = try RelayScene.make(client, settings: settings)
  }

  static func make(_ client: HTTPTestClient, settings: String = "") throws -> (
    id: String, token: String
  ) {
    let made = try client.call(
      "POST", "/workspaces", token: admin, body: "{\"name\":\"Ada\"\(settings)}")
    let id = made.json["id"]?.string ?? ""
    let registered = try client.call(
      "POST", "/registry/register", token: admin, body: "{\"id\":\"\(id)\"}")
    return (id, registered.json["auth_token"]?.string ?? "")
  }

  func connect() throws -> HTTPTestClient { try HTTPTestClient(server) }

  static func message(
    _ text: String = "hello", id: String = "1", messageID: String = "m-1", blocking: Bool = false
  ) -> String {
    """
    {"jsonrpc":"2.0","id":\(id),"method":"message/send","params":{"message":{"kind":"message",\
    "messageId":"\(messageID)","role":"user","parts":[{"kind":"text","text":"\(text)"}]},\
    "configuration":{"blocking":\(blocking)}}}
    """
  }

  /// The next entry of the inbox, which is there or comes.
  func take(_ query: String = "wait=10") throws -> (id: String, lease: String) {
    let answer = try connect().call("GET", "/workspaces/\(id)/inbox?\(query)", token: token)
    return (
      answer.entry?["id"]?.string ?? "", answer.entry?["lease"]?["token"]?.string ?? "none"
    )
  }

  func verb(
    _ verb: String, _ entry: (id: String, lease: String), _ body: String = ""
  ) throws -> HTTPTestClient.Answer {
    try client.call(
      "POST", "/workspaces/\(id)/inbox/\(entry.id)/\(verb)", token: token,
      fields: [("X-Relay-Lease", entry.lease)], body: body)
  }
}
