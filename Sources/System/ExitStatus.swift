/// The exit statuses of this project's programs: 0, 1 and some of the numbers of sysexits.h.
///
/// Scripts and systemd units depend on the numbers; `docs/commands.md` lists them.
package enum ExitStatus: Int32, CaseIterable, Sendable {
  case done = 0
  case refused = 1
  /// EX_USAGE.
  case usage = 64
  /// EX_UNAVAILABLE.
  case unavailable = 69
  /// EX_OSERR.
  case systemError = 71
  /// EX_IOERR.
  case ioError = 74
  /// EX_NOPERM.
  case noPermission = 77

  /// The meaning of the status for whoever started the program.
  package var meaning: String {
    switch self {
    case .done: "done"
    case .refused: "the relay refused or a check found something"
    case .usage: "wrong command line"
    case .unavailable: "no relay can be reached"
    case .systemError: "not even /dev/null can be opened"
    case .ioError: "a file cannot be read or written"
    case .noPermission: "the credential is missing or not accepted"
    }
  }
}
