/// The version of this relay. Everything that shows one takes it from here.
///
/// A new version is written here, as the first heading of `docs/changelog.md` and as the label in
/// `deploy/Containerfile`; a test compares the three.
package enum RelayVersion {
  package static let text = "0.1.0"
}
