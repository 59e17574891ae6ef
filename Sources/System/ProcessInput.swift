import CLinux

/// The command line and the environment that the process was started with.
package struct ProcessInput: Sendable {
  /// Something of it is no UTF-8. Repaired it would name another file than the one that was meant.
  package struct NotUTF8: Error {
    package var text: String
  }

  /// The words of the command line, behind the program's name.
  package private(set) var arguments: [String] = []
  /// The environment, without variables that are empty or no UTF-8: an empty one counts as not set.
  package private(set) var variables: [String: String] = [:]

  /// - `isOurs`: says of a variable's name whether its value must be UTF-8.
  package init(isOurs: (String) -> Bool = { _ in false }) throws(NotUTF8) {
    for index in 1..<max(1, Int(CommandLine.argc)) {
      guard let word = CommandLine.unsafeArgv[index] else { break }
      guard let text = String(validatingCString: word) else {
        throw NotUTF8(
          text: "argument \(index) (\"\(String(cString: word))\") is not UTF-8; names and paths "
            + "must be: rename the file or directory")
      }
      arguments.append(text)
    }
    guard var next = relay_environment() else { return }
    while let line = next.pointee {
      let text = String(cString: line)
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        .map(String.init)
      if String(validatingCString: line) == nil {
        guard !isOurs(parts[0]) else {
          throw NotUTF8(text: "the value of \(parts[0]) in the environment is not UTF-8")
        }
      } else if parts.count == 2, !parts[1].isEmpty {
        variables[parts[0]] = parts[1]
      }
      next += 1
    }
  }
}
