import Foundation
import Glibc
import Testing

@testable import System

/// What other users of the machine may do with the relay's files.
@Suite final class PrivatePathTests {
  private let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "private-path-" + UUID().uuidString
    #expect(mkdir(folder, 0o700) == 0)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private func make(_ name: String, mode: mode_t, isFolder: Bool = false) -> String {
    let path = folder + "/" + name
    if isFolder {
      #expect(mkdir(path, 0o700) == 0)
    } else {
      #expect(FileManager.default.createFile(atPath: path, contents: nil))
    }
    #expect(chmod(path, mode) == 0)
    return path
  }

  private func mode(_ path: String) -> mode_t {
    var status = stat()
    #expect(stat(path, &status) == 0)
    return status.st_mode & 0o7777
  }

  private func refusal(_ path: String, isFolder: Bool = false, mayBeLink: Bool = false) -> String {
    do throws(PrivatePath.Refusal) {
      let mode = try PrivatePath.secure(path, isFolder: isFolder, mayBeLink: mayBeLink)
      return "taken: \(mode ?? 0)"
    } catch { return error.description }
  }

  @Test func `what others may do with our own is taken away, and said`() throws {
    for mode in [0o777, 0o1777, 0o2775, 0o750, 0o701] as [mode_t] {
      let path = make("folder-\(mode)", mode: mode, isFolder: true)
      #expect(try PrivatePath.secure(path, isFolder: true) == mode)
      #expect(self.mode(path) == 0o700)
      #expect(try PrivatePath.secure(path, isFolder: true) == nil)
    }
    for mode in [0o644, 0o666, 0o604, 0o640, 0o4755] as [mode_t] {
      let path = make("file-\(mode)", mode: mode)
      #expect(try PrivatePath.secure(path, isFolder: false) == mode)
      #expect(self.mode(path) == mode & 0o700)
    }
    let own = make("own", mode: 0o400)
    #expect(try PrivatePath.secure(own, isFolder: false) == nil && mode(own) == 0o400)
    #expect(try PrivatePath.secure(folder + "/none", isFolder: false) == nil)
  }

  @Test func `a link and another kind of thing are refused`() throws {
    let file = make("file", mode: 0o644)
    let place = make("place", mode: 0o755, isFolder: true)
    let link = folder + "/link"
    #expect(symlink("place", link) == 0)
    #expect(refusal(link, isFolder: true).contains("is a symbolic link"))
    #expect(refusal(link).contains("is a symbolic link"))
    #expect(refusal(file, isFolder: true).contains("is no directory"))
    #expect(refusal(place).contains("is no ordinary file"))
    #expect(mkfifo(folder + "/pipe", 0o600) == 0)
    #expect(refusal(folder + "/pipe").contains("is no ordinary file"))
    #expect(mode(file) == 0o644 && mode(place) == 0o755)
    // The data directory itself may be a link of ours.
    #expect(refusal(link, isFolder: true, mayBeLink: true) == "taken: \(0o755)")
    #expect(mode(place) == 0o700)
  }

  @Test(.enabled(if: geteuid() == 0)) func `another user's are refused`() throws {
    let file = make("file", mode: 0o600)
    let place = make("place", mode: 0o700, isFolder: true)
    let link = folder + "/link"
    #expect(symlink("place", link) == 0)
    #expect(lchown(link, 4711, 4711) == 0)
    #expect(refusal(link, isFolder: true, mayBeLink: true).contains("belongs to user 4711"))
    for path in [file, place] {
      #expect(chown(path, 4711, 4711) == 0)
      let text = refusal(path, isFolder: path == place)
      #expect(text.contains("belongs to user 4711, and the relay runs as user 0"))
      #expect(text.contains("chown"))
    }
  }
}
