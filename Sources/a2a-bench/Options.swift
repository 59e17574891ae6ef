import Glibc
import System

/// What the command line asks for.
struct Options {
  enum Command: String, CaseIterable {
    case all, disk, r, sends, cycles, latency, parked, backlog, retention
  }

  var command = Command.all
  /// The server to start; by default the one beside this program.
  var relay = ""
  /// A server that runs already, and its admin token.
  var url: String?
  var admin: String?
  /// Where the files go; removed afterwards if it was made here.
  var data: String?
  /// Connections of `sends`; without it 1, 64 and 256 are measured.
  var connections: Int?
  /// Workspaces of `sends`, each connection going round its share of them; without it 1.
  var workspaces: Int?
  /// Seconds that one figure of the relay is measured for.
  var seconds = 5
  var runs = 5
  /// Parked polls; one server process can have 20,000 descriptors in many places.
  var parked = 15_000
  /// `retention`: seconds of one window, and how many of them while messages are deleted.
  var window = 5
  var windows = 30
  /// Messages that wait in the long queue, which is no part of `all`: filling it takes a minute.
  var backlog = 1_000_000
  var json = false

  static let usage = """
    usage: a2a-bench [all|disk|r|sends|cycles|latency|parked|backlog|retention] [options]
      --relay PATH       the a2a-relay to start (default: beside this program)
      --url URL          measure a relay that runs already, with --admin TOKEN
      --data DIR         where to put files (default: a folder in /var/tmp)
      --connections N    connections of `sends` (default: 1, 64 and 256 in turn)
      --workspaces N     workspaces of `sends`, used in turn over --connections (default 64 then)
      --seconds N        length of one measurement (default 5)
      --runs N           runs of which the median is shown (default 5)
      --parked N         parked polls (default 15000)
      --window N         `retention`: seconds of one window (default 5)
      --windows N        `retention`: windows while messages are deleted (default 30; a record: 120)
      --backlog N        messages in the long queue of `backlog` (default 1000000)
      --json             machine-readable output

    """

  init(_ arguments: [String]) throws(BenchError) {
    relay = Self.besideThisProgram(arguments.first ?? "")
    var rest = arguments.dropFirst()
    if let first = rest.first, !first.hasPrefix("-") {
      guard let command = Command(rawValue: first) else {
        let known = Command.allCases.map(\.rawValue).joined(separator: ", ")
        throw .usage("unknown command \(first); there are \(known)")
      }
      self.command = command
      rest = rest.dropFirst()
    }
    while let flag = rest.popFirst() {
      if flag == "--json" {
        json = true
        continue
      }
      guard let value = rest.popFirst() else { throw .usage("\(flag) needs a value") }
      try set(flag, value)
    }
    guard (url == nil) == (admin == nil) else { throw .usage("--url and --admin go together") }
  }

  private mutating func set(_ flag: String, _ value: String) throws(BenchError) {
    switch flag {
    case "--relay": relay = value
    case "--url": url = value
    case "--admin": admin = value
    case "--data": data = value
    case "--connections": connections = try Self.count(flag, value)
    case "--workspaces": workspaces = try Self.count(flag, value)
    case "--seconds": seconds = try Self.count(flag, value)
    case "--runs": runs = try Self.count(flag, value)
    case "--window": window = try Self.count(flag, value)
    case "--windows": windows = try Self.count(flag, value)
    case "--backlog": backlog = try Self.count(flag, value)
    case "--parked": parked = try Self.count(flag, value)
    default: throw .usage("unknown flag \(flag)")
    }
  }

  private static func count(_ flag: String, _ value: String) throws(BenchError) -> Int {
    guard let number = Int(value), number > 0 else {
      throw .usage("\(flag) takes a number above 0, not \(value)")
    }
    return number
  }

  private static func besideThisProgram(_ name: String) -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count)
    let path =
      count > 0
      ? String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : name
    return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) + "/a2a-relay"
  }
}

/// Why nothing was measured.
enum BenchError: Error, CustomStringConvertible {
  /// The command line is wrong.
  case usage(String)
  case failed(String)

  var description: String {
    switch self {
    case .usage(let text), .failed(let text): text
    }
  }
}

/// Runs `body` and says what it was about when it fails.
func attempt<Result>(
  _ what: @autoclosure () -> String, _ body: () throws -> Result
) throws(BenchError) -> Result {
  do {
    return try body()
  } catch let error as BenchError {
    throw error
  } catch {
    throw .failed("\(what()): \(error)")
  }
}
