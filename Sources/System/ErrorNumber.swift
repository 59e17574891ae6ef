import Glibc

/// The texts of the system's error numbers: the meaning in words, and the name.
package enum ErrorNumber {
  /// Such as `the address is in use (EADDRINUSE)`.
  package static func text(_ code: Int32) -> String {
    guard let known = table.first(where: { $0.code == code }) else { return "errno \(code)" }
    return "\(known.words) (\(known.name))"
  }

  // Glibc's strerror_r and strerrorname_np are not to be had from Swift without GNU's macros.
  private static let table: [(code: Int32, name: String, words: String)] = [
    (EACCES, "EACCES", "permission denied"),
    (EADDRINUSE, "EADDRINUSE", "the address is in use"),
    (EADDRNOTAVAIL, "EADDRNOTAVAIL", "this machine has no such address"),
    (EAFNOSUPPORT, "EAFNOSUPPORT", "addresses of this family are not supported"),
    (EAGAIN, "EAGAIN", "try again"),
    (EBADF, "EBADF", "it is not open"),
    (EBUSY, "EBUSY", "it is in use"),
    (ECONNREFUSED, "ECONNREFUSED", "nobody listens there"),
    (ECONNRESET, "ECONNRESET", "the other side has ended the connection"),
    (EDQUOT, "EDQUOT", "the disk quota is used up"),
    (EEXIST, "EEXIST", "it exists already"),
    (EFBIG, "EFBIG", "the file is too large"),
    (EHOSTUNREACH, "EHOSTUNREACH", "there is no way to that machine"),
    (EINVAL, "EINVAL", "an argument is not valid"),
    (EIO, "EIO", "an input/output error"),
    (EISDIR, "EISDIR", "it is a directory"),
    (ELOOP, "ELOOP", "too many symbolic links"),
    (EMFILE, "EMFILE", "this process has too many descriptors open"),
    (ENAMETOOLONG, "ENAMETOOLONG", "the name is too long"),
    (ENETUNREACH, "ENETUNREACH", "there is no way to that network"),
    (ENFILE, "ENFILE", "the system has too many files open"),
    (ENODEV, "ENODEV", "there is no such device"),
    (ENOENT, "ENOENT", "there is no such file or directory"),
    (ENOMEM, "ENOMEM", "there is not enough memory"),
    (ENOSPC, "ENOSPC", "no space is left on the device"),
    (ENOSYS, "ENOSYS", "the kernel does not have this call"),
    (ENOTDIR, "ENOTDIR", "it is no directory"),
    (ENXIO, "ENXIO", "there is no such device or address"),
    (EOPNOTSUPP, "EOPNOTSUPP", "it is not supported"),
    (EPERM, "EPERM", "it is not permitted"),
    (EPIPE, "EPIPE", "nobody reads it any more"),
    (EROFS, "EROFS", "the file system is read-only"),
    (ESTALE, "ESTALE", "the file handle is stale"),
    (ETIMEDOUT, "ETIMEDOUT", "nobody has answered in time"),
    (ETXTBSY, "ETXTBSY", "the file is being executed"),
  ]
}
