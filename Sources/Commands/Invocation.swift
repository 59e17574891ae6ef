import HTTPClient
import Relay
import System
import Wire

/// One command, the line that asks for it, and the console that it writes to.
package struct Invocation: Sendable {
  let command: Command
  /// The words of the line that stand for the command's arguments.
  let arguments: [String]
  let line: ArgumentLine
  let console: Console
  /// The relay that the line means.
  let place: OperatorPlace

  init(_ command: Command, arguments: [String], line: ArgumentLine, console: Console) {
    self.command = command
    self.arguments = arguments
    self.line = line
    self.console = console
    place = OperatorPlace(
      data: line.value("data"), relay: line.value("relay"), installed: console.installed,
      environment: console.environment)
  }

  func has(_ flag: String) -> Bool { line.value(flag) != nil }
  func value(_ flag: String) -> String? { line.value(flag) }
  var isJSON: Bool { has("json") }

  func number(_ flag: String) throws(CommandFailure) -> Int? {
    guard let text = value(flag) else { return nil }
    guard let number = Int(text), number >= 0 else {
      throw .usage("--\(flag) must be a number from 0; got \"\(Plain.text(text))\"")
    }
    return number
  }

  var data: String { place.data }
  var url: String { place.url }

  /// Whether a flag or the environment names a relay. A line with `--data` means the relay of that
  /// directory, whatever the environment says.
  var namesRelay: Bool {
    has("relay") || !has("data") && console.environment("A2A_RELAY_URL") != nil
  }

  /// An argument that names a workspace, checked before it is put into a path.
  func workspace(_ index: Int = 0) throws(CommandFailure) -> String {
    try Self.workspace(arguments[index])
  }

  static func workspace(_ text: String) throws(CommandFailure) -> String {
    guard let id = WorkspaceID(text) else {
      throw .usage(
        "\"\(Plain.text(text))\" is not the id of a workspace; a2a-relay workspaces lists them")
    }
    return id.text
  }

  static func message(_ text: String) throws(CommandFailure) -> String {
    guard let id = MessageID(text) else {
      throw .usage(
        "\"\(Plain.text(text))\" is not the id of a message; a2a-relay messages ID lists them")
    }
    return id.text
  }

  // MARK: the relay

  func credential() throws(CommandFailure) -> OperatorCredential {
    do throws(OperatorCredential.Missing) {
      return try OperatorCredential.find(
        file: value("token-file"), place: place, environment: console.environment)
    } catch {
      throw .credential(error.text)
    }
  }

  struct Answer {
    var status: Int
    var body: [UInt8]
    var json: JSON
    /// The relay has changed something for it.
    var isChange = false
  }

  /// Asks the relay. A refusal is thrown, unless its status is among `taking`.
  func ask(
    _ method: String, _ path: String, _ body: JSON? = nil, taking: Set<Int> = []
  ) throws(CommandFailure) -> Answer {
    let credential = try credential()
    let client: BlockingClient
    do throws(BlockingClient.BadURL) {
      client = try BlockingClient(url: url, token: credential.secret)
    } catch {
      throw .usage("--relay: \(error.text)")
    }
    let answer: BlockingClient.Answer
    do throws(BlockingClient.Unreachable) {
      answer = try client.call(method, path, body: body?.bytes)
    } catch {
      throw .unreachable(
        error.text + "\ntry: a2a-relay doctor, or name the relay by --relay or A2A_RELAY_URL")
    }
    let json = try? JSON(parsing: answer.body)
    guard answer.isSuccess || taking.contains(answer.status) else {
      throw Self.refusal(answer.status, json, credential.source)
    }
    guard let json else { throw .refused("the relay's answer to \(method) \(path) is not JSON") }
    return Answer(
      status: answer.status, body: answer.body, json: json,
      isChange: method != "GET" && answer.isSuccess)
  }

  private static func refusal(
    _ status: Int, _ json: JSON?, _ source: String
  ) -> CommandFailure {
    let text = Plain.text(json?["error"]?.string ?? "the relay answered \(status)")
    let code = json?["code"]?.string.map { " (\(Plain.text($0)))" } ?? ""
    var hint = ""
    switch status {
    case 401:
      return .credential(
        text + code + "\nthe credential is that of \(source)"
          + "\ntry: --token-file FILE, or A2A_RELAY_TOKEN in the environment")
    case 404 where json?["code"]?.string == "no_route":
      return .refused("the relay has no such route: it is of another version than this command")
    case 410: hint = "\ntry: a2a-relay workspaces restore ID"
    case 501: hint = "\nthe relay is of a version that has no such route"
    default: break
    }
    if let more = json?["hint"]?.string { hint = "\n" + Plain.text(more) }
    return .refused(text + code + hint)
  }

  // MARK: output

  /// The answer as it is with `--json`, else what `text` makes of it. When it cannot be printed,
  /// the failure says that the relay has done its part, or what to do about a secret (`ifLost`)
  /// that is shown only here.
  func show(
    _ answer: Answer, ifLost: ((JSON) -> String)? = nil, _ text: (JSON) -> String
  ) throws(CommandFailure) {
    do throws(CommandFailure) {
      try console.out(
        isJSON ? String(decoding: answer.body, as: UTF8.self) + "\n" : text(answer.json))
    } catch {
      if let ifLost { throw .io(error.text + "\n" + ifLost(answer.json)) }
      throw answer.isChange ? .io(error.text + "\nthe relay has done what it was asked for") : error
    }
  }
}
