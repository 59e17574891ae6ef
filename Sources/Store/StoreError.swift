import CSQLite
import Glibc
import System

/// An error of the store. It names the call and the file, never a value that was to be stored.
package struct StoreError: Error, Sendable, CustomStringConvertible {
  /// The reaction that the error demands of the relay.
  package enum Kind: Sendable, Equatable {
    /// No space left. Rolled back; the connection goes on.
    case full
    /// Another process holds the file.
    case busy
    /// The file is damaged or no database: final for the workspace.
    case corrupt
    /// A failed write or sync: the kernel reports it once and marks the pages clean, so that every
    /// later sync succeeds without them. Final for the process.
    case ioFatal
    /// Any other input/output error, a missing file: final for the workspace.
    case workspaceFatal
    /// Written by a newer release.
    case newerSchema
    /// There is a file where one was to be made, and it holds something.
    case taken
    case other
  }

  package let kind: Kind
  /// SQLite's extended result code, or an errno when `message` says so.
  package let code: Int32
  package let call: String
  package let path: String
  package let message: String
  /// The error number under an input/output error; 0 when there is none.
  package let systemErrno: Int32

  package init(
    kind: Kind, code: Int32 = 0, call: String, path: String, message: String,
    systemErrno: Int32 = 0
  ) {
    self.kind = kind
    self.code = code
    self.call = call
    self.path = path
    self.message = message
    self.systemErrno = systemErrno
  }

  /// The last reserve is in use.
  package static func onlyDeletion(_ path: String) -> StoreError {
    StoreError(
      kind: .full, call: "write", path: path,
      message: "the disk is full: only deletions are written")
  }

  /// The file must be closed and its workspace answers 503; the others go on.
  package var isFinalForWorkspace: Bool {
    switch kind {
    case .corrupt, .newerSchema: true
    // A want of descriptors, memory or room passes: the file is tried again.
    case .workspaceFatal: ![EMFILE, ENFILE, ENOMEM, ENOSPC, EDQUOT].contains(systemErrno)
    default: false
    }
  }

  package var isFinalForProcess: Bool { kind == .ioFatal }

  package var description: String {
    let place = "\(call) of \(path): "
    if message.isEmpty { return place + ErrorNumber.text(systemErrno) }
    let cause = systemErrno == 0 ? "" : ", " + ErrorNumber.text(systemErrno)
    // An errno is no code of SQLite's.
    return place + message + cause + (code == 0 || code == systemErrno ? "" : ", code \(code)")
  }

  /// No more room for a file: on the disk, in a quota, or under the limit of its size.
  static func isFull(_ errno: Int32) -> Bool {
    errno == ENOSPC || errno == EDQUOT || errno == EFBIG
  }

  /// The disk has room, but not this file.
  var isFileTooLarge: Bool { systemErrno == EFBIG }

  /// The one place where SQLite's codes get a meaning.
  ///
  /// SQLite calls a write without room full only when the error is ENOSPC. A sync that fails is
  /// final whatever its error: what it should have written is lost.
  static func kind(of code: Int32, errno: Int32 = 0) -> Kind {
    switch code {
    case writeFailed where isFull(errno), cannotOpen where isFull(errno): return .full
    // SQLITE_IOERR | 3, 4, 5, 6 << 8: the header's macros do not reach Swift.
    case 778, 1034, 1290, 1546: return .ioFatal
    default: break
    }
    switch code & 0xFF {
    case SQLITE_FULL: return .full
    case SQLITE_BUSY, SQLITE_LOCKED: return .busy
    case SQLITE_CORRUPT, SQLITE_NOTADB: return .corrupt
    case SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM: return .workspaceFatal
    default: return .other
    }
  }

  private static let writeFailed: Int32 = 778
  private static let cannotOpen = SQLITE_CANTOPEN

  /// A system call outside SQLite that failed; `errno` must be passed as it was right after it.
  static func system(_ call: String, _ path: String, _ errno: Int32, kind: Kind) -> StoreError {
    StoreError(
      kind: kind != .ioFatal && isFull(errno) ? .full : kind, code: errno, call: call,
      path: path, message: "",
      systemErrno: errno)
  }
}
