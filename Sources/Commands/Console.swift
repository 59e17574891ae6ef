import System

/// The surroundings of a command: its output, its environment and the clock.
package struct Console: Sendable {
  var out: @Sendable (String) throws(CommandFailure) -> Void
  var error: @Sendable (String) -> Void
  /// The variables of the environment, without empty ones.
  var variables: [String: String]
  /// Whether somebody looks at the progress that goes to standard error.
  var isWatched: Bool
  /// Waits between two looks at a job.
  var pause: @Sendable (Duration) -> Void
  /// The place of the files of this machine's service.
  var installed = OperatorPlace.Installation.documented

  package init(
    out: @escaping @Sendable (String) throws(CommandFailure) -> Void,
    error: @escaping @Sendable (String) -> Void, variables: [String: String] = [:],
    isWatched: Bool = false, pause: @escaping @Sendable (Duration) -> Void = Pause.wait
  ) {
    self.out = out
    self.error = error
    self.variables = variables
    self.isWatched = isWatched
    self.pause = pause
  }

  /// The console of this process.
  static func standard(variables: [String: String]) -> Console {
    Console(
      out: { text throws(CommandFailure) in
        do throws(StandardStream.Unprinted) { try StandardStream.print(text) } catch {
          throw .io(error.text)
        }
      }, error: { StandardStream.complain($0) }, variables: variables,
      isWatched: StandardStream.error.isTerminal)
  }

  /// A variable of the environment; `nil` if it is empty.
  @Sendable func environment(_ name: String) -> String? {
    OperatorPlace.variable(name) { variables[$0] }
  }
}
