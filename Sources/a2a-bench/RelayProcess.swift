import Glibc
import System

/// The relay under test, started for one measurement and stopped after it.
final class RelayProcess {
  let pid: pid_t
  let address: SocketAddress
  private let log: String
  private var isRunning = true

  /// Starts the server with an empty data directory and waits for its ready line.
  init(
    path: String, data: String, admin: String, limits: [String] = []
  ) throws(BenchError) {
    let arguments =
      [
        path, "serve", "--listen", "127.0.0.1:0", "--data", data,
        // The goals are about throughput: the queue may be as long as the run makes it.
        "--limit", "queueMessagesMax=100000000", "--limit", "queueBytesMax=1000000000000",
        "--limit", "callerSharePercent=100",
        // What a run keeps is not deleted while it is measured, but by the run that measures that.
        "--limit", "keptBytesMax=1000000000000", "--limit", "keptMessagesMax=1000000000000",
      ] + limits.flatMap { ["--limit", $0] }
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw .failed("pipe: errno \(errno)") }
    defer { close(ends[0]) }
    log = data + ".log"
    pid = try Self.spawn(arguments, admin: admin, output: ends[1], log: log)
    close(ends[1])
    let line = Self.readLine(ends[0])
    guard let url = line.split(separator: " ").last, let address = httpAddress(String(url)) else {
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
      throw .failed("\(path) did not get ready: \(line) \(contents(log))")
    }
    self.address = address
  }

  deinit { stop() }

  /// Asks it to end, and waits; after ten seconds it is killed.
  func stop() {
    guard isRunning else { return }
    isRunning = false
    var status: Int32 = 0
    if waitpid(pid, &status, WNOHANG) == pid {
      StandardStream.complain(
        "the relay ended by itself, wait status \(status):\n\(contents(log).suffix(2_000))\n")
      return
    }
    kill(pid, SIGTERM)
    for _ in 0..<1_000 {
      if waitpid(pid, nil, WNOHANG) == pid { return }
      usleep(10_000)
    }
    kill(pid, SIGKILL)
    waitpid(pid, nil, 0)
  }

  private static func spawn(
    _ arguments: [String], admin: String, output: Int32, log: String
  ) throws(BenchError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    // What this program holds back is not held back there.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    var argv = arguments.map { strdup($0) } + [nil]
    let settings = ["PATH=\(path)", "ADMIN_TOKEN=\(admin)"]
    var environment = settings.map { strdup($0) } + [nil]
    defer { for pointer in argv + environment { free(pointer) } }
    var pid = pid_t()
    let code = posix_spawn(&pid, arguments[0], &actions, &attributes, &argv, &environment)
    guard code == 0 else { throw .failed("cannot start \(arguments[0]): errno \(code)") }
    return pid
  }

  /// One line; less than that when the process ends first.
  private static func readLine(_ descriptor: Int32) -> String {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while read(descriptor, &byte, 1) == 1, byte != 10 { line.append(byte) }
    return String(decoding: line, as: UTF8.self)
  }

  // MARK: what it uses

  /// CPU time of all its threads, in nanoseconds: `stat` counts in steps of 10 ms, the scheduler's
  /// own account does not.
  func cpu() -> Int64 { cpuTime(of: "\(pid)") }

  /// Resident memory in bytes.
  func residentBytes() -> Int {
    for line in contents("/proc/\(pid)/smaps_rollup").split(separator: "\n")
    where line.hasPrefix("Rss:") {
      let number = line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
      return (number ?? 0) * 1024
    }
    return 0
  }
}

/// CPU time of all threads of a process that are still there, in nanoseconds.
func cpuTime(of process: String) -> Int64 {
  var total: Int64 = 0
  guard let folder = opendir("/proc/\(process)/task") else { return 0 }
  defer { closedir(folder) }
  while let entry = readdir(folder) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    // `..` has an account too: the main thread's once more.
    guard Int(name) != nil else { continue }
    let account = contents("/proc/\(process)/task/\(name)/schedstat")
    total += account.split(separator: " ").first.flatMap { Int64($0) } ?? 0
  }
  return total
}

/// The address in `http://127.0.0.1:8080`, with or without a slash behind it.
func httpAddress(_ url: String) -> SocketAddress? {
  guard url.hasPrefix("http://") else { return nil }
  let rest = url.dropFirst(7)
  return SocketAddress(String(rest.prefix { $0 != "/" }))
}
