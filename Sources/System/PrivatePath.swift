import Glibc

/// Keeps files and folders from the other users of the machine.
package enum PrivatePath {
  /// The reason why a path is not used.
  package struct Refusal: Error, CustomStringConvertible {
    package var description: String
  }

  /// Takes away what the group and others may do with a path of this user. Returns the mode that it
  /// had when something had to be taken away; `nil` if nothing was, or if nothing is there.
  ///
  /// A path of root's, which this user cannot change, is taken when nobody else can read or write
  /// it; a folder of root's may be listed. Any other owner is refused, and so is a symbolic link,
  /// which may lead to what another user controls.
  ///
  /// - `mayBeLink`: a link of this user's or root's is followed.
  package static func secure(
    _ path: String, isFolder: Bool, mayBeLink: Bool = false
  ) throws(Refusal) -> UInt32? {
    var status = stat()
    guard lstat(path, &status) == 0 else { return try missing(path) }
    if status.st_mode & S_IFMT == S_IFLNK {
      guard mayBeLink else {
        throw Refusal(description: "\(path) is a symbolic link; put what it leads to in its place")
      }
      guard status.st_uid == geteuid() || status.st_uid == 0 else {
        throw foreign("the symbolic link \(path)", status.st_uid)
      }
      guard stat(path, &status) == 0 else { return try missing(path) }
    }
    guard status.st_mode & S_IFMT == (isFolder ? S_IFDIR : S_IFREG) else {
      throw Refusal(description: "\(path) is no \(isFolder ? "directory" : "ordinary file")")
    }
    if status.st_uid == geteuid() { return try tighten(path, status) }
    guard status.st_uid == 0 else { throw foreign(path, status.st_uid) }
    let others: mode_t = isFolder ? 0o002 : 0o006
    let group: mode_t = isOwnGroup(status.st_gid) ? 0 : isFolder ? 0o020 : 0o060
    guard status.st_mode & (others | group) == 0 else {
      throw Refusal(
        description: "\(path) belongs to root, and other users may read or write it; let it belong "
          + "to user \(geteuid()), with mode \(isFolder ? "700" : "600")")
    }
    return nil
  }

  private static func missing(_ path: String) throws(Refusal) -> UInt32? {
    let code = errno
    guard code == ENOENT else {
      throw Refusal(description: "\(path) cannot be looked at: \(ErrorNumber.text(code))")
    }
    return nil
  }

  private static func tighten(_ path: String, _ status: stat) throws(Refusal) -> UInt32? {
    let mode = status.st_mode & 0o7777
    guard mode & 0o077 != 0 else { return nil }
    guard chmod(path, mode & 0o700) == 0 else {
      let code = errno
      throw Refusal(
        description: "other users may use \(path) (mode \(String(mode, radix: 8))), and that "
          + "cannot be changed: \(ErrorNumber.text(code))")
    }
    return mode
  }

  private static func foreign(_ path: String, _ owner: uid_t) -> Refusal {
    Refusal(
      description: "\(path) belongs to user \(owner), and the relay runs as user \(geteuid()); "
        + "chown it to the relay's user, or run the relay as user \(owner)")
  }

  private static func isOwnGroup(_ group: gid_t) -> Bool {
    if group == getegid() { return true }
    let count = getgroups(0, nil)
    guard count > 0 else { return false }
    var groups = [gid_t](repeating: 0, count: Int(count))
    return getgroups(count, &groups) > 0 && groups.contains(group)
  }
}
