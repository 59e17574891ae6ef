import Server
import System

/// The credential that a command shows to the relay, and where it was found: in a file that the
/// command names, in the environment, or in the file that the relay made in its data directory.
package struct OperatorCredential {
  package struct Missing: Error {
    package var text: String
  }

  package let secret: String
  /// The file or the variable that holds the credential.
  package let source: String

  /// Finds the credential for the relay of `place`.
  ///
  /// - `file`: the value of `--token-file`; if it is there, nothing else is looked at.
  package static func find(
    file: String?, place: OperatorPlace, environment: (String) -> String?
  ) throws(Missing) -> OperatorCredential {
    if let file { return try OperatorCredential(secret: read(file, place), source: file) }
    for name in ["A2A_RELAY_TOKEN", "ADMIN_TOKEN"] {
      if let token = OperatorPlace.variable(name, environment) {
        let source = "\(name) in the environment"
        return try OperatorCredential(secret: checked(token, source), source: source)
      }
    }
    guard !place.isFound || place.isHere else {
      throw Missing(
        text: "no credential for \(place.url): the one of the relay on this machine is not sent "
          + "to another; " + naming)
    }
    if let token = place.adminToken {
      let source = "ADMIN_TOKEN in \(place.settings)"
      return try OperatorCredential(secret: checked(token, source), source: source)
    }
    let path = "\(place.data)/\(AdminToken.name)"
    return try OperatorCredential(secret: read(path, place), source: path)
  }

  private static func checked(_ token: String, _ source: String) throws(Missing) -> String {
    do throws(CredentialText.Refusal) {
      return try CredentialText.parse(Array(token.utf8), of: source)
    } catch {
      throw Missing(text: error.text)
    }
  }

  private static let naming =
    "name a credential by --token-file, or by A2A_RELAY_TOKEN or ADMIN_TOKEN in the environment"

  private static func why(_ path: String, _ error: SystemError, _ place: OperatorPlace) -> String {
    let why = "\(path): \(ErrorNumber.text(error.code)); "
    if error.isDenied {
      let user = place.isInstalled ? "user a2a-relay" : "the user of the relay"
      return why + "run as root or as \(user), as sudo a2a-relay …, or " + naming
    }
    guard error.isMissing, place.isFound, !place.isInstalled else { return why + naming }
    return why + "nor is a service installed here; name the data directory by --data, or " + naming
  }

  private static func read(_ path: String, _ place: OperatorPlace) throws(Missing) -> String {
    let file: FileDescriptor
    do throws(SystemError) { file = try FileDescriptor(reading: path) } catch {
      throw Missing(text: why(path, error, place))
    }
    do throws(CredentialText.Refusal) { return try CredentialText.read(file, of: path) } catch {
      throw Missing(text: error.text)
    }
  }
}
