import System

@testable import Commands
@testable import Server

extension ServeOptions {
  /// Reads the settings from a line of `serve`, as the program does.
  init(arguments: [String], environment: (String) -> String?) throws(CommandFailure) {
    let console = Console(out: { _ in }, error: { _ in })
    let line = try CommandReader(ServeCommands.all).read(["serve"] + arguments, console: console)
    guard case .run(_, let invocation) = line else { throw .usage("the line asks for help") }
    self = try ServeCommands.options(invocation.line, environment: environment)
  }
}
