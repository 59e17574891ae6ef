import Foundation

/// The seed of every random test. It is fixed, so that a run that failed fails again.
///
/// `TEST_SEED=7` gives another one, `TEST_SEED=random` a new one for this run. The rigs read the same
/// variable.
package enum TestSeed {
  package static let standard: UInt64 = 1

  /// The seed of this process. The first use prints it.
  package static let value: UInt64 = {
    let text = ProcessInfo.processInfo.environment["TEST_SEED"]
    guard let seed = parse(text) else {
      preconditionFailure("TEST_SEED must be a number or the word random; got \(text ?? "")")
    }
    print("random tests: TEST_SEED=\(seed)")
    return seed
  }()

  /// Reads the variable; returns nil for what is neither a number nor the word.
  package static func parse(_ text: String?) -> UInt64? {
    switch text {
    case nil: standard
    case "random": .random(in: 0...UInt64(UInt32.max))
    case .some(let text): UInt64(text)
    }
  }
}
