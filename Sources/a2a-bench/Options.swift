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

  private static let flags = [
    Flag("relay", "PATH", "the a2a-relay to start (default: beside this program)"),
    Flag("url", "URL", "measure a relay that runs already, with --admin TOKEN"),
    Flag("admin", "TOKEN", "the admin token of the relay at --url"),
    Flag("data", "DIR", "where to put files (default: a folder in /var/tmp)"),
    Flag("connections", "N", "connections of `sends` (default: 1, 64 and 256 in turn)"),
    Flag(
      "workspaces", "N", "workspaces of `sends`, used in turn over --connections (default 64 then)"),
    Flag("seconds", "N", "length of one measurement (default 5)"),
    Flag("runs", "N", "runs of which the median is shown (default 5)"),
    Flag("parked", "N", "parked polls (default 15000)"),
    Flag("window", "N", "`retention`: seconds of one window (default 5)"),
    Flag(
      "windows", "N",
      "`retention`: windows while messages are deleted (default 30; a record: 120)"),
    Flag("backlog", "N", "messages in the long queue of `backlog` (default 1000000)"),
    Flag("json", nil, "machine-readable output"),
  ]

  static var usage: String {
    let commands = Command.allCases.map(\.rawValue).joined(separator: "|")
    return "usage: a2a-bench [\(commands)] [options]\n"
      + flags.map { flag in
        let pad = String(repeating: " ", count: max(1, 19 - flag.shown.count))
        return "  " + flag.shown + pad + flag.text + "\n"
      }.joined() + "\n"
  }

  /// - `program`: the path that this program was started with.
  init(_ line: ArgumentLine, program: String) throws(BenchError) {
    relay = line.value("relay") ?? Self.besideThisProgram(program)
    url = line.value("url")
    admin = line.value("admin")
    data = line.value("data")
    json = line.value("json") != nil
    if let first = line.words.first {
      guard let command = Command(rawValue: first), line.words.count == 1 else {
        let known = Command.allCases.map(\.rawValue).joined(separator: ", ")
        throw .usage("\"\(line.words.joined(separator: " "))\" is not one of \(known)")
      }
      self.command = command
    }
    connections = try Self.count("connections", line)
    workspaces = try Self.count("workspaces", line)
    seconds = try Self.count("seconds", line) ?? seconds
    runs = try Self.count("runs", line) ?? runs
    window = try Self.count("window", line) ?? window
    windows = try Self.count("windows", line) ?? windows
    backlog = try Self.count("backlog", line) ?? backlog
    parked = try Self.count("parked", line) ?? parked
    guard (url == nil) == (admin == nil) else { throw .usage("--url and --admin go together") }
  }

  static func line(_ arguments: [String]) throws(BenchError) -> ArgumentLine {
    do throws(ArgumentLine.Mistake) { return try ArgumentLine(arguments, flags: flags) } catch {
      switch error {
      case .unknownFlag(let name): throw .usage("unknown flag --\(name)")
      case .wrongValue(let text): throw .usage(text)
      }
    }
  }

  private static func count(_ flag: String, _ line: ArgumentLine) throws(BenchError) -> Int? {
    guard let value = line.value(flag) else { return nil }
    guard let number = Int(value), number > 0 else {
      throw .usage("--\(flag) must be a number above 0; got \(value)")
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
