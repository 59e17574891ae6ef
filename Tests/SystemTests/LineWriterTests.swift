import Foundation
import Glibc
import Relay
import Testing

@testable import System

/// Who logs never waits for who reads the log.
@Suite struct LineWriterTests {
  /// The lines that come out of `descriptor`, until there are enough.
  private static func read(_ descriptor: Int32, until isEnough: ([String]) -> Bool) -> [String] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      // A terminal makes "\r\n" of "\n", which is one character to Swift.
      let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        .map(String.init)
      if bytes.last == UInt8(ascii: "\n"), isEnough(lines) { return lines }
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      guard count > 0 else { return lines }
      bytes += buffer[..<count]
    }
  }

  /// How many lines these tell of, if each is the next one, whole, or says how many are missing.
  private static func told(_ lines: [String], _ pad: String) -> (all: Int, lost: Int)? {
    var (next, lost) = (0, 0)
    for line in lines {
      let words = line.split(separator: " ")
      guard words.count == 2, let number = Int(words[words[0] == "lost" ? 1 : 0])
      else { return nil }
      if words[0] == "lost" {
        next += number
        lost += number
      } else {
        guard number == next, words[1] == pad else { return nil }
        next += 1
      }
    }
    return (next, lost)
  }

  /// A thousand lines to one who reads nothing; then he reads. Answers what is wrong.
  static func overflow(reading: Int32, writing: Int32) -> String? {
    var limits = Limits()
    limits.logBufferBytesMax = 2000
    limits.logFlushTime = .milliseconds(1)
    let writer = LineWriter(writing, limits: limits) { loss in Array("lost \(loss.lines)\n".utf8) }
    let pad = String(repeating: ".", count: 990)
    for number in 0..<1000 { writer.write(Array("\(number) \(pad)\n".utf8)) }
    // Neither does the end of the process wait for him.
    writer.flush()
    guard writer.lost > 0 else { return "all of it went somewhere" }
    let lines = read(reading) { (told($0, pad)?.all ?? 1000) >= 1000 }
    guard let (all, lost) = told(lines, pad) else { return "a line is cut, or not its turn" }
    guard all == 1000, lost == writer.lost else { return "\(all) lines, \(lost) lost" }
    writer.write(Array("on\n".utf8))
    return read(reading) { $0.last == "on" } == ["on"] ? nil : "it does not go on"
  }

  @Test func `a pipe that nobody reads loses counted lines, and the loss is told`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      var ends: [Int32] = [0, 0]
      guard pipe(&ends) == 0 else { exit(1) }
      let problem = LineWriterTests.overflow(reading: ends[0], writing: ends[1])
      StandardStream.complain(problem ?? "")
      exit(problem == nil ? 0 : 1)
    }
  }

  @Test func `so does a socket, as the journal has one`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      var ends: [Int32] = [0, 0]
      guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { exit(1) }
      let problem = LineWriterTests.overflow(reading: ends[0], writing: ends[1])
      StandardStream.complain(problem ?? "")
      exit(problem == nil ? 0 : 1)
    }
  }

  @Test func `so does a pipe that another process has made non-blocking`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      var ends: [Int32] = [0, 0]
      guard pipe(&ends) == 0 else { exit(1) }
      let flags = fcntl(ends[1], F_GETFL)
      guard fcntl(ends[1], F_SETFL, flags | O_NONBLOCK) == 0 else { exit(1) }
      let problem = LineWriterTests.overflow(reading: ends[0], writing: ends[1])
      StandardStream.complain(problem ?? "")
      exit(problem == nil ? 0 : 1)
    }
  }

  @Test func `the flags of the descriptor stay as they are, for it is shared`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      var ends: [Int32] = [0, 0]
      guard pipe(&ends) == 0 else { exit(1) }
      let before = fcntl(ends[1], F_GETFL)
      let log = Log(format: .json, to: LineWriter(ends[1]) { Log.lossLine(.json, $0) })
      log.info("started")
      log.flush()
      exit(fcntl(ends[1], F_GETFL) == before && log.lost == 0 ? 0 : 1)
    }
  }

  @Test func `a line that a full disk has cut does not run into the next one`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      Signals.ignoreWriteSignals()
      var template = Array("/tmp/relay-log-XXXXXX".utf8CString)
      let file = mkstemp(&template)
      unlink(template)
      func allow(_ bytes: UInt) {
        var limit = rlimit(rlim_cur: bytes, rlim_max: rlim_t.max)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      }
      let log = Log(format: .text, to: LineWriter(file) { Log.lossLine(.text, $0) })
      log.info("first")
      log.flush()
      allow(UInt(lseek(file, 0, SEEK_CUR)) + 30)
      log.info("second", ["pad": "a long value that does not fit"])
      log.info("third")
      log.flush()
      allow(UInt(rlim_t.max))
      log.info("fourth")
      log.flush()
      lseek(file, 0, SEEK_SET)
      let lines = LineWriterTests.read(file) { _ in false }
      let text = lines.joined(separator: "\n")
      StandardStream.complain(text)
      guard lines.count == 4, lines[0].hasSuffix("first"), lines[3].hasSuffix("fourth") else {
        exit(1)
      }
      // What fitted of the second, and what is said of it and the third.
      guard lines[1].utf8.count == 30, lines[2].contains("log_lines_lost lines=2") else { exit(2) }
      exit(lines[2].contains("EFBIG") && log.lost == 2 ? 0 : 3)
    }
  }

  @Test func `a terminal that Ctrl-S has stopped stops nobody`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      guard let (master, name) = pseudoTerminal() else { exit(1) }
      let terminal = open(name, O_RDWR | O_NOCTTY)
      guard terminal >= 0, tcflow(terminal, TCOOFF) == 0 else { exit(2) }
      var limits = Limits()
      limits.logBufferBytesMax = 2000
      limits.logFlushTime = .milliseconds(1)
      let writer = LineWriter(terminal, limits: limits) { Log.lossLine(.text, $0) }
      let log = Log(format: .text, to: writer)
      for _ in 0..<10_000 { log.info("line") }
      log.flush()
      guard log.lost > 0, tcflow(terminal, TCOON) == 0 else { exit(3) }
      func lost(_ lines: [String]) -> Int {
        lines.compactMap { $0.firstMatch(of: /lines=([0-9]+)/) }.reduce(0) { $0 + (Int($1.1) ?? 0) }
      }
      // Each line is there, or counted as lost in one that is.
      let lines = LineWriterTests.read(master) { lines in
        lines.count { $0.hasSuffix("line") } + lost(lines) >= 10_000
      }
      exit(lost(lines) == log.lost ? 0 : 4)
    }
  }
}

/// The master of a new terminal, and the terminal's path.
func pseudoTerminal() -> (master: Int32, name: String)? {
  let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
  var number: Int32 = 0
  var locked: Int32 = 0
  // TIOCGPTN and TIOCSPTLCK: the functions that do this are not to be had from Swift.
  guard master >= 0, ioctl(master, 0x8004_5430, &number) == 0,
    ioctl(master, 0x4004_5431, &locked) == 0
  else { return nil }
  return (master, "/dev/pts/\(number)")
}

/// Rig `operator` starts the relay without its standard streams: here other threads open files.
@Suite struct StandardStreamTests {
  @Test func `what cannot be written is an error`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      Signals.ignoreWriteSignals()
      let full = open("/dev/full", O_WRONLY)
      dup2(full, 1)
      var codes: [Int32] = []
      do throws(SystemError) { try StandardStream.output.write([120]) } catch {
        codes.append(error.code)
      }
      var ends: [Int32] = [0, 0]
      guard pipe(&ends) == 0 else { exit(1) }
      dup2(ends[1], 1)
      close(ends[0])
      do throws(SystemError) { try StandardStream.output.write([120]) } catch {
        codes.append(error.code)
      }
      exit(codes == [ENOSPC, EPIPE] ? 0 : 2)
    }
  }
}
