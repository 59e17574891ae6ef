package import System

/// The reason why a command was not carried out. Each case has its own exit status.
package enum CommandFailure: Error {
  /// The command line is wrong.
  case usage(String)
  /// No relay answers.
  case unreachable(String)
  /// A file cannot be read or written.
  case io(String)
  /// The credential is missing or not accepted.
  case credential(String)
  /// The relay refused, or a check found something.
  case refused(String)

  package var status: ExitStatus {
    switch self {
    case .usage: .usage
    case .unreachable: .unavailable
    case .io: .ioError
    case .credential: .noPermission
    case .refused: .refused
    }
  }

  package var text: String {
    switch self {
    case .usage(let text), .unreachable(let text), .io(let text), .credential(let text),
      .refused(let text):
      text
    }
  }
}
