import HTTPClient
import Server
import System

/// `serve` and `health`: the relay's own process, and the health check of its container.
enum ServeCommands {
  static let all = [
    Command(ofProcess: "serve", "runs the relay", flags: flags, run: serve),
    // A container has no curl. The check takes the flags of the server that it asks, and needs only
    // `--listen`.
    Command(ofProcess: "health", "asks whether a relay answers", flags: flags, run: health),
  ]

  private static let flags = ServeFlag.all.map(\.flag)

  private static func serve(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    RelayProcess.serve(try options(line.line, environment: line.console.environment))
  }

  private static func health(_ line: Invocation) throws(CommandFailure) -> ExitStatus {
    let options = try options(line.line, environment: line.console.environment)
    if let failure = HealthCheck.failure(at: options.listen) { throw .refused(failure) }
    return .done
  }

  /// Reads the settings from the environment and from the flags of a line; a flag wins.
  static func options(
    _ line: ArgumentLine, environment: (String) -> String?
  ) throws(CommandFailure) -> ServeOptions {
    var options = ServeOptions()
    for flag in ServeFlag.all where flag.hasVariable {
      let name = RelayVariables.name(ofFlag: flag.flag.name)
      guard let value = OperatorPlace.variable(name, environment) else { continue }
      do throws(CommandFailure) { try flag.read(&options, value) } catch {
        throw .usage("\(name): \(error.text)")
      }
    }
    for flag in ServeFlag.all {
      for value in line.values[flag.flag.name] ?? [] { try flag.read(&options, value) }
    }
    if let text = OperatorPlace.variable("ADMIN_TOKEN", environment) {
      do throws(CredentialText.Refusal) {
        options.adminToken = try CredentialText.parse(Array(text.utf8), of: "ADMIN_TOKEN")
      } catch {
        throw .usage(error.text)
      }
    }
    return options
  }
}
