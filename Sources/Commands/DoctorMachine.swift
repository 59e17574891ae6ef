import Relay
import Server
import Store
import System

/// The data directory and the machine that it is on.
extension Doctor {
  static func examineMachine(_ line: Invocation, _ report: inout Report) {
    if Clock.wall().nanoseconds < 1_735_689_600_000_000_000 {
      report.problem("the clock of this machine says a time before 2025", try: "timedatectl")
    }
    let path = line.data
    let folder: FileStatus
    do throws(SystemError) { folder = try FileStatus(path: path) } catch {
      if line.has("relay"), !line.has("data") {
        return report.note("no data directory here: the disk is looked at on the relay's machine")
      }
      return report.problem(
        "data directory \(path): \(ErrorNumber.text(error.code))"
          + (line.place.isFound ? ", and no service is installed here" : ""),
        try: "a2a-relay doctor --data DIRECTORY, the one that the relay was started with")
    }
    guard folder.isFolder else {
      return report.problem("\(path) is no directory", try: "a2a-relay doctor --data DIRECTORY")
    }
    examine(folder, path, line.place, &report)
    guard FileStatus.isWritable(path) else { return }
    examineLock(path, &report)
    examineLeftovers(path, &report)
    examineDisk(path, line, &report)
  }

  private static func examine(
    _ folder: FileStatus, _ path: String, _ place: OperatorPlace, _ report: inout Report
  ) {
    if folder.permissions & 0o002 != 0 {
      report.problem("everybody may write into \(path)", try: "chmod o-w \(path)")
    }
    guard FileStatus.isWritable(path) else {
      return report.problem(
        "\(path) belongs to user \(folder.owner), and user \(FileStatus.user) may not write there",
        try: place.isInstalled
          ? "run as root or as user a2a-relay: sudo a2a-relay doctor"
          : "the same as user \(folder.owner), as sudo -u '#\(folder.owner)' a2a-relay doctor")
    }
    if place.isFound, place.isInstalled {
      report.note("\(path) is the installed service's; ./relay-data would come first, or --data")
    }
    if folder.owner != FileStatus.user {
      report.note("\(path) belongs to user \(folder.owner); this is user \(FileStatus.user)")
    } else {
      report.ok("data directory \(path) is there and can be written")
    }
    if let token = try? FileStatus(path: path + "/admin-token"), token.permissions & 0o077 != 0 {
      report.problem(
        "others may read \(path)/admin-token, which opens everything",
        try: "chmod 600 \(path)/admin-token")
    }
  }

  /// Reports which process runs on the directory, and how many descriptors it may open.
  private static func examineLock(_ path: String, _ report: inout Report) {
    guard let lock = try? FileStatus(path: path + "/relay.lock") else {
      return report.note("no relay has ever used \(path)")
    }
    guard let holder = lock.lockHolder else {
      return report.problem(
        "no relay runs on \(path)",
        try: "systemctl start a2a-relay, or a2a-relay serve --data \(path)")
    }
    report.ok("a relay holds \(path)" + (holder > 0 ? " (process \(holder))" : ""))
    if holder > 0 { examineDescriptors(holder, &report) }
  }

  /// Reports files that no relay reads. They hold messages, and nothing deletes them by itself.
  private static func examineLeftovers(_ path: String, _ report: inout Report) {
    do throws(StoreError) {
      let found = try DataDirectory.leftovers(in: path)
      guard let first = found.first else { return }
      let bytes = found.reduce(0) { $0 + Files.size($1) }
      report.note(
        "\(found.count) files of before a migration or set aside as lost, \(Plain.bytes(bytes)), "
          + "which no relay reads: \(first)" + (found.count > 1 ? " and others" : "")
          + "; to remove them: find \(path) \\( -name '*.db.v[0-9]*' -o -name '*.db.lost-*' \\) "
          + "-delete")
    } catch {
      report.problem("\(path): \(error.description)", try: "ls -lR \(path)")
    }
  }

  private static func examineDescriptors(_ process: Int, _ report: inout Report) {
    let limits = SmallFile.text("/proc/\(process)/limits").split(separator: "\n")
    guard let row = limits.first(where: { $0.hasPrefix("Max open files") }),
      let most = row.split(separator: " ").dropFirst(3).first.flatMap({ Int($0) })
    else { return report.note("how many descriptors the relay may open cannot be read") }
    if most < Limits.doctorDescriptorsMin {
      report.problem(
        "the relay may open \(most) descriptors: each connection takes one, each file three",
        try: "LimitNOFILE=65536 in systemctl edit a2a-relay, or ulimit -n 65536 before serve")
    } else {
      report.ok("the relay may open \(most) descriptors")
    }
  }

  private static func examineDisk(_ path: String, _ line: Invocation, _ report: inout Report) {
    do throws(StoreError) {
      let free = try FileSystem.freeBytes(path)
      // What that is enough for is the relay's to say: see `examineRoom`.
      report.ok("\(Plain.bytes(free)) free of \(Plain.bytes(try FileSystem.totalBytes(path)))")
      if let inodes = try FileSystem.freeInodes(path), inodes < Limits.inodesMin {
        report.problem(
          "\(path): the file system has \(inodes) inodes left",
          try: "df -i \(path), and delete files there")
      }
      let kind = try FileSystem.of(path: path)
      if kind.supportsSyncfs {
        report.ok("file system \(kind): rounds of many workspaces are one syncfs")
      } else {
        report.note(
          "file system \(kind): each file is synced by itself, and a network file "
            + "system keeps no promise")
      }
    } catch {
      report.problem("\(path): \(error.description)", try: "df \(path) and dmesg")
    }
    do throws(SystemError) {
      let times = try SyncProbe.times(in: path, count: 5).sorted()
      let median = times[times.count / 2]
      let text = "a sync takes \(median.nanoseconds / 1000) µs"
      if median > Limits.doctorSyncMax {
        report.problem("\(text): every acknowledgement waits for one", try: "iostat -x 1, dmesg")
      } else {
        report.ok(text)
      }
    } catch {
      report.problem("nothing can be written to \(path): \(error.description)", try: "dmesg")
    }
  }
}
