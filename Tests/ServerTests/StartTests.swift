import Engine
import Foundation
import Relay
import Testing
import Wire

@testable import Commands
@testable import Server
@testable import Store
@testable import System

/// What a start refuses, and in which words.
@Suite struct StartTests {
  private func options(_ arguments: String...) throws -> ServeOptions {
    try ServeOptions(arguments: arguments) { _ in nil }
  }

  private func plan(_ options: ServeOptions, descriptors: Int) throws -> DescriptorPlan {
    try DescriptorPlan(options.limits, asked: options.asked, descriptors: descriptors)
  }

  /// The text of the refusal.
  private func refusal(_ body: () throws -> Void) -> String {
    do { try body() } catch let error as ServeOptions.Usage {
      return error.text
    } catch let error as CommandFailure {
      return error.text
    } catch {
      Issue.record(error)
    }
    return ""
  }

  @Test(arguments: [
    ("lease=86400000", "lease (86400.0 seconds) must not be above leaseMax (3600.0 seconds)"),
    ("offer=86400000", "leaseMax"), ("hold=301000", "holdMax"),
    ("backOffFirst=301000", "backOffMax"), ("timeToLive=1000", "timeToLive"),
    ("bodyBytesMax=268435457", "bodiesInMemoryMax"), ("queueBytesMax=1000", "queueBytesMax"),
    ("bodiesInMemoryMax=1000", "bodiesInMemoryMax"), ("walPagesIdle=2001", "walPagesBusy"),
    ("walPagesMax=1999", "walPagesMax"), ("callerSharePercent=101", "not be above 100"),
    ("unreadSharePercent=101", "100"), ("bodySharePercent=101", "100"),
    ("anonymousSharePercent=101", "100"),
  ])
  func `limits that contradict each other are refused by name`(limit: String, part: String) throws {
    let options = try options("--limit=\(limit)")
    #expect(refusal { try options.check() }.contains(part))
  }

  @Test func `losses are accepted by id, on the command line only`() throws {
    let ids = ["0f000000-0000-4000-8000-000000000001", "0f000000-0000-4000-8000-000000000002"]
    let asked = try options("--accept-loss", ids[0], "--accept-loss=\(ids[1])", "--after-rollback")
    #expect(asked.acceptedLosses.map(\.text) == ids && asked.isAfterRollback)
    #expect(refusal { _ = try options("--accept-loss", "all") }.contains("id of a workspace"))
    #expect(refusal { _ = try options("--accept-loss") }.contains("needs a value"))
    let none = try ServeOptions(arguments: []) { $0.contains("LOSS") ? ids[0] : nil }
    #expect(none.acceptedLosses.isEmpty)
  }

  @Test func `the defaults do not contradict each other`() throws {
    try options().check()
  }

  @Test(arguments: ["connectionsMax=99999999", "openWorkspacesMax=7000"])
  func `what was asked for and does not fit the descriptors is refused`(limit: String) throws {
    let options = try options("--limit=\(limit)")
    let text = refusal { _ = try plan(options, descriptors: 20_000) }
    #expect(text.contains(limit) && text.contains("RLIMIT_NOFILE allows 20000"))
    #expect(text.contains("need"))
  }

  @Test func `what was asked for and fits stays, and the default beside it is cut`() throws {
    let large = try plan(try options("--limit=connectionsMax=19500"), descriptors: 20_000)
    #expect(large.limits.connectionsMax == 19_500 && large.limits.openWorkspacesMax == 145)
    #expect(large.adaptations == [.init(name: "openWorkspacesMax", from: 2048, to: 145)])
    let files = try plan(try options("--limit=openWorkspacesMax=6000"), descriptors: 20_000)
    #expect(files.limits.openWorkspacesMax == 6000 && files.limits.connectionsMax == 1936)
    let fitting = try plan(
      try options("--limit=connectionsMax=100", "--limit=openWorkspacesMax=10"),
      descriptors: 1000)
    #expect(fitting.adaptations.isEmpty)
  }

  @Test func `defaults are cut to the descriptors there are`() throws {
    let usual = try plan(try options(), descriptors: 20_000)
    #expect(usual.adaptations == [.init(name: "connectionsMax", from: 50_000, to: 13_792)])
    let small = try plan(try options(), descriptors: 1024)
    #expect(small.limits.openWorkspacesMax == 149 && small.limits.connectionsMax == 513)
    let ample = try plan(try options(), descriptors: 1_000_000)
    #expect(ample.adaptations.isEmpty)
    #expect(refusal { _ = try plan(try options(), descriptors: 100) }.contains("allows 100"))
  }

  @Test(arguments: [
    "https://x/y?q", "https://x/#f", "https://", "http:///x", "ftp://x", "https://a b",
    "https://x/\"", "https://u@x", "https://u:p@x:1/p", "https://x:p/", "https://x:99999",
    "http://0.0.0.0", "http://0.0.0.0:8080", "http://[::]:8080/p", "https://[x]y", "https://@x",
    "https://u%3Ap%40x", "https://*.x",
  ])
  func `a public URL to which no path can be added is refused`(url: String) throws {
    #expect(refusal { _ = try options("--public-url", url) }.contains("without query"))
  }

  @Test func `a public URL may have a port and a path`() throws {
    #expect(try options("--public-url=https://h:1/p/").publicURL == "https://h:1/p")
  }

  @Test(arguments: ["0.0.0.0:8080", "[::]:0", "[0::0]:1", "[::ffff:0.0.0.0]:80"])
  func `a listener on every address needs a public URL`(listen: String) throws {
    let text = refusal { try options("--listen", listen).check() }
    #expect(text.contains("--public-url") && text.contains("A2A_RELAY_PUBLIC_URL"))
    try options("--listen", listen, "--public-url", "http://10.0.0.5:8080").check()
    for one in ["127.0.0.1:0", "10.0.0.5:80", "[::1]:80", "[::ffff:10.0.0.5]:80", "localhost:80"] {
      try options("--listen", one).check()
    }
  }

  @Test func `names of the relay are given one by one or in a list, in flags and environment`()
    throws
  {
    let flags = try options(
      "--allow-host", "A.example,b", "--allow-host=c.", "--allow-host", "[::1]")
    #expect(flags.allowedHosts == ["a.example", "b", "c", "[::1]"])
    let variable = try ServeOptions(arguments: ["--allow-host", "b"]) {
      $0 == "A2A_RELAY_ALLOW_HOST" ? "a" : nil
    }
    #expect(variable.allowedHosts == ["a", "b"])
    #expect(refusal { _ = try options("--allow-host", "") }.contains("needs a value"))
    for wrong in ["a,", "a:80", "a:", "http://a", "a/b", "u@a", "*.a", "a%40b"] {
      #expect(refusal { _ = try options("--allow-host", wrong) }.contains("without scheme"))
    }
  }

  @Test func `the operator's token is what its file says at a start, or the environment`() throws {
    let folder = NSTemporaryDirectory() + "relay-admin-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func load(_ options: ServeOptions) throws -> String {
      try AdminToken.load(options, data: folder, random: Random()).secret
    }
    let made = try load(try options())
    #expect(try load(try options()) == made)
    let own = "an-operators-own-token"
    try (own + "\n").write(toFile: folder + "/admin-token", atomically: true, encoding: .utf8)
    #expect(try load(try options()) == own)
    let given = "given-by-the-environment"
    let fromEnvironment = try ServeOptions(arguments: []) { $0 == "ADMIN_TOKEN" ? given : nil }
    #expect(try load(fromEnvironment) == given)
    // It alone opens anything.
    var directory = Directory(RegistrySnapshot())
    directory.setAdmin(secret: own)
    let now = WallTime(nanoseconds: 1)
    for (secret, identity) in [(own, Identity.admin), (made, nil), (given, nil)] {
      #expect(directory.credential(Array(secret.utf8)[...], at: now)?.identity == identity)
    }
  }

  @Test func `an empty variable counts as not set, for every flag`() throws {
    let empty = try ServeOptions(arguments: []) { _ in "" }
    let none = try ServeOptions(arguments: []) { _ in nil }
    #expect("\(empty)" == "\(none)")
    #expect(refusal { _ = try options("--data=") }.contains("--data"), "a flag says something")
  }

  @Test(arguments: ServeFlag.all.filter(\.hasVariable).map(\.flag.name))
  func `a variable with a wrong value is named`(flag: String) throws {
    let name = RelayVariables.name(ofFlag: flag)
    let text = refusal { _ = try ServeOptions(arguments: []) { $0 == name ? "?" : nil } }
    #expect(text.hasPrefix("\(name): ") || flag == "data")
  }

  @Test(arguments: [
    ("A2A_RELAY_LISTN", "did you mean A2A_RELAY_LISTEN?"),
    ("A2A_RELAY_PUBLICURL", "did you mean A2A_RELAY_PUBLIC_URL?"),
    ("A2A_RELAY_LIMITS", "did you mean A2A_RELAY_LIMIT?"),
    ("A2A_RELAY_ADMIN_TOKEN", "use ADMIN_TOKEN"),
    ("A2A_RELAY_QUEUE_MESSAGES_MAX", "use A2A_RELAY_LIMIT=queueMessagesMax=VALUE"),
    ("A2A_RELAY_ACCEPT_LOSS", "--accept-loss is for one start"),
    ("A2A_RELAY_AFTER_ROLLBACK", "--after-rollback is for one start"),
    ("A2A_RELAY_XYZZY_PLUGH", "there are A2A_RELAY_LISTEN, A2A_RELAY_DATA"),
    ("A2A_RELAY_", "there are"), ("A2A_RELAY_PORT", "there are A2A_RELAY_LISTEN"),
  ])
  func `a variable that means nothing is refused, and the right one named`(
    name: String, hint: String
  ) throws {
    let text = try #require(RelayVariables.refusal(of: [name: "1", "PATH": "x"]))
    #expect(text.hasPrefix(name + " in the environment") && text.contains(hint), "\(text)")
  }

  @Test func `the relay's own variables, and those of a service of its name, are taken`() {
    var variables = [
      "ADMIN_TOKEN": "x", "A2A_RELAY_URL": "x", "A2A_RELAY_TOKEN": "x",
      "A2A_RELAY_SERVICE_HOST": "10.0.0.1", "A2A_RELAY_SERVICE_PORT": "80",
      "A2A_RELAY_SERVICE_PORT_HTTP": "80", "A2A_RELAY_PORT": "tcp://10.0.0.1:80",
      "A2A_RELAY_PORT_80_TCP": "tcp://10.0.0.1:80", "A2A_RELAY_PORT_80_TCP_ADDR": "10.0.0.1",
      // And of one that is named `a2a-relay-metrics`.
      "A2A_RELAY_METRICS_SERVICE_HOST": "10.0.0.1", "A2A_RELAY_METRICS_SERVICE_PORT_HTTP": "9",
      "A2A_RELAY_METRICS_PORT": "tcp://10.0.0.1:9", "A2A_RELAY_METRICS_PORT_9_TCP_PROTO": "tcp",
    ]
    for flag in ServeFlag.all where flag.hasVariable {
      variables[RelayVariables.name(ofFlag: flag.flag.name)] = "x"
    }
    #expect(RelayVariables.refusal(of: variables) == nil)
  }

  @Test(arguments: ["hold=5 attempts=7", "hold=5,attempts=7", " hold=5 ,\n attempts=7,"])
  func `several limits fit into one variable, and one flag`(text: String) throws {
    let set = try ServeOptions(arguments: []) { $0 == "A2A_RELAY_LIMIT" ? text : nil }
    let flag = try options("--limit", text, "--limit=keepAlive=9")
    for found in [set, flag] {
      #expect(found.limits.hold == .milliseconds(5) && found.limits.attempts == 7)
    }
    #expect(flag.asked == ["hold", "attempts", "keepAlive"])
    #expect(refusal { _ = try options("--limit", " , ") }.contains("NAME=VALUE"))
    #expect(refusal { _ = try options("--limit", "hold=5 nothing=7") }.contains("\"nothing\""))
  }

  @Test func `a data directory in which SQLite could open no file is refused in words`() throws {
    let base = NSTemporaryDirectory() + "relay-long-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: base) }
    var long = base
    while long.utf8.count < 600 { long += "/" + String(repeating: "y", count: 90) }
    try FileManager.default.createDirectory(atPath: long, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: base + "/short", withDestinationPath: long)
    for path in [long, long + "/new", base + "/short", base + "/short/new/"] {
      let failure = #expect(throws: StoreError.self) {
        try DataDirectory(path: path, limits: Limits())
      }
      #expect(failure?.description.contains("too long") == true, "\(path.count)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: long).isEmpty, "nothing is made")
    // The longest that is taken really works.
    let most = Limits.dataPathBytesMax
    let root = try #require(Files.real(base))
    var edge = root + "/" + String(repeating: "z", count: 200)
    edge += "/" + String(repeating: "z", count: most - edge.utf8.count - 1)
    try FileManager.default.createDirectory(atPath: edge, withIntermediateDirectories: true)
    let data = try DataDirectory(path: edge, limits: Limits())
    let id = try #require(WorkspaceID("0f000000-0000-4000-8000-000000000001"))
    let file = try data.createWorkspaceFile(id, now: Clock.wall())
    file.abandon()
    try data.removeWorkspaceFile(id)
    try data.registry.close()
  }

  @Test func `error numbers are said in words, once`() throws {
    #expect(ErrorNumber.text(EADDRINUSE) == "the address is in use (EADDRINUSE)")
    #expect(ErrorNumber.text(4000) == "errno 4000")
    #expect(
      SystemError(call: "bind", code: EACCES).description == "bind: permission denied (EACCES)")
    let system = StoreError.system("mkdir", "/proc/x", ENOENT, kind: .workspaceFatal)
    #expect(
      system.description == "mkdir of /proc/x: there is no such file or directory (ENOENT)")
    let failed = StoreError(
      kind: .ioFatal, code: 778, call: "step", path: "a.db", message: "disk I/O error",
      systemErrno: EIO)
    #expect(
      failed.description
        == "step of a.db: disk I/O error, an input/output error (EIO), code 778")
  }

  @Test func `an address in use is named`() throws {
    let taken = try Listener(SocketAddress(ipv4: 0x7F00_0001, port: 0))
    let address = taken.address
    #expect {
      _ = try RelayProcess.listen(address)
    } throws: {
      "\($0)" == "cannot listen on \(address): the address is in use (EADDRINUSE)"
    }
    withExtendedLifetime(taken.raw) {}
  }
}
