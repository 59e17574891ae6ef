import Synchronization
import System
import Testing

@testable import Commands

/// Lines are read by the table of commands, which also says what is wrong with a line.
@Suite struct CommandLineTests {
  static let console = Console(out: { _ in }, error: { _ in }, pause: { _ in })
  private let reader = CommandReader(CommandTable.commands)

  private func read(_ line: String) throws -> (pattern: String, invocation: Invocation) {
    let words = line.split(separator: " ").map(String.init)
    guard case .run(let command, let invocation) = try reader.read(words, console: Self.console)
    else { throw CommandFailure.usage("help") }
    return (command.pattern, invocation)
  }

  private func refusal(_ line: String) -> String? {
    do { _ = try read(line) } catch let failure as CommandFailure {
      return failure.status == .usage ? failure.text : nil
    } catch { return nil }
    return nil
  }

  @Test(arguments: [
    ("status", "status"), ("workspaces", "workspaces"), ("workspaces list", "workspaces list"),
    ("workspaces create", "workspaces create [NAME]"),
    ("workspaces create Ada", "workspaces create [NAME]"), ("tokens X", "tokens ID"),
    ("tokens X rotate", "tokens ID rotate"), ("tokens X revoke", "tokens ID revoke [TOKEN]"),
    ("tokens X revoke y", "tokens ID revoke [TOKEN]"), ("redrive a b c", "redrive MESSAGE…"),
    ("redrive --workspace X", "redrive"), ("jobs X", "jobs ID"), ("jobs X 7", "jobs ID JOB"),
    ("--json status", "status"), ("cancel m", "cancel MESSAGE"),
    ("backup d --data x", "backup DIR"), ("export X d", "export ID DIR"),
    ("check d --json", "check DIR"), ("restore d --data=x", "restore BACKUP"),
    ("serve --log json", "serve"), ("--log json", "serve"), ("health --listen x", "health"),
  ])
  func `a line is the command whose words fit`(line: String, pattern: String) throws {
    #expect(try read(line).pattern == pattern)
  }

  @Test func `flags may stand anywhere, with a space or an equals sign`() throws {
    let line = try read("--limit 5 messages --state=dead ID --json --after=a=b")
    #expect(line.invocation.arguments == ["ID"])
    #expect(line.invocation.value("limit") == "5" && line.invocation.value("state") == "dead")
    #expect(line.invocation.isJSON && line.invocation.value("after") == "a=b")
    #expect(try read("workspaces create -- --odd").invocation.arguments == ["--odd"])
  }

  @Test(arguments: [
    ("statu", "the commands are serve, health, status"), ("status x", "a2a-relay status"),
    ("tokens", "a2a-relay tokens ID rotate"), ("queue X --dry-run", "it takes --relay"),
    ("queue X --nothing", "unknown flag \"--nothing\""), ("messages X --limit", "needs a value"),
    ("messages X --limit=", "needs a value"), ("status --json=1", "takes no value"),
    ("queue --nothing X", "queue takes --relay"), ("--nothing", "serve takes --listen"),
    ("serve --json", "serve takes no --json"), ("status --listen x", "status takes no --listen"),
    ("serve now", "a2a-relay serve"), ("health --limit", "needs a value: NAME=VALUE"),
  ])
  func `a wrong line hears what there is`(line: String, told: String) {
    #expect(refusal(line)?.contains(told) == true)
  }

  @Test func `no two commands have one pattern, and one flag means one thing`() {
    let patterns = CommandTable.commands.map(\.pattern)
    #expect(Set(patterns).count == patterns.count)
    var values: [String: String] = [:]
    for flag in CommandTable.commands.flatMap(\.allFlags) {
      let value = flag.value == nil ? "none" : "a value"
      #expect(values[flag.name, default: value] == value, "--\(flag.name)")
      values[flag.name] = value
      #expect(!flag.text.isEmpty)
    }
  }

  @Test func `help names every command and every flag`() throws {
    for command in CommandTable.commands {
      let page = try reader.help.page([command.name])
      for flag in command.allFlags { #expect(page.contains("--\(flag.name)")) }
      guard command.asksRelay else {
        #expect(page == reader.help.overview && page.contains("a2a-relay \(command.pattern) "))
        continue
      }
      #expect(reader.help.overview.contains("  \(command.pattern) "), "\(command.pattern)")
      #expect(page.contains("a2a-relay \(command.pattern)\n"))
    }
    for line in [["help", "queue"], ["queue", "--help"], ["queue", "X", "-h"]] {
      guard case .help(let text) = try reader.read(line, console: Self.console) else {
        Issue.record("\(line) is no call for help")
        continue
      }
      #expect(text.hasPrefix("a2a-relay queue ID\n"))
    }
    #expect(throws: CommandFailure.self) { try reader.help.page(["nothing"]) }
  }

  @Test func `a line ends with the status of what became of it`() {
    let written = Mutex(("", ""))
    let console = Console(
      out: { text in written.withLock { $0.0 += text } },
      error: { text in written.withLock { $0.1 += text } },
      variables: ["A2A_RELAY_LISTN": "x"], pause: { _ in })
    #expect(CommandTable.run([], console: console) == .usage)
    #expect(written.withLock { $0 } == ("", CommandReader(CommandTable.commands).help.overview))
    #expect(CommandTable.run(["--version"], console: console) == .done)
    #expect(CommandTable.run(["help", "queue"], console: console) == .done)
    #expect(CommandTable.run(["status"], console: console) == .usage)
    #expect(written.withLock { $0.1 }.hasSuffix("LISTEN?\nTry a2a-relay --help\n"))
    #expect(CommandTable.run(["check", "/nowhere"], console: Self.console) == .ioError)
  }
}
