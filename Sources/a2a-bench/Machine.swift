import Glibc

/// What the figures depend on besides the program.
struct Machine {
  var cpu: String
  var cores: Int
  var kernel: String
  var fileSystem: String

  static func here(_ scratch: Scratch) -> Machine {
    var name = "unknown"
    for line in contents("/proc/cpuinfo").split(separator: "\n")
    where line.hasPrefix("model name") {
      name = line.split(separator: ":").last.map { String($0.drop { $0 == " " }) } ?? name
      break
    }
    let kernel = contents("/proc/sys/kernel/osrelease").split(separator: "\n").first
    return Machine(
      cpu: name, cores: sysconf(Int32(_SC_NPROCESSORS_ONLN)),
      kernel: kernel.map(String.init) ?? "unknown", fileSystem: fileSystem(scratch.path))
  }

  private static func fileSystem(_ path: String) -> String {
    // The longest mount point that the path lies in.
    var best = (point: "", type: "unknown")
    for line in contents("/proc/mounts").split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 2 else { continue }
      let point = String(fields[1])
      let isInside = path.hasPrefix(point == "/" ? "/" : point + "/")
      if isInside, point.utf8.count >= best.point.utf8.count {
        best = (point, String(fields[2]))
      }
    }
    return best.type
  }
}
