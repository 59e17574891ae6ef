import Glibc

/// How much CPU everything else on the machine takes while a run lasts.
///
/// The kernel's own threads count as others, also when they write what the relay has written: a few
/// per cent are no sign of a neighbour.
struct OtherLoad {
  private let startBusy: Double
  private let startOwn: Double
  private let start: Int64

  init() {
    startBusy = Self.busySeconds()
    startOwn = Self.ownSeconds()
    start = ticks()
  }

  /// In per cent of one core, since `init`.
  func percent() -> Double {
    let elapsed = Double(ticks() - start) / 1e9
    let others = Self.busySeconds() - startBusy - (Self.ownSeconds() - startOwn)
    return max(0, others / elapsed * 100)
  }

  /// Of all cores: user, nice, system, irq, softirq, steal (proc(5)).
  private static func busySeconds() -> Double {
    guard let line = contents("/proc/stat").split(separator: "\n").first else { return 0 }
    let fields = line.split(separator: " ").dropFirst().compactMap { Double($0) }
    guard fields.count >= 8 else { return 0 }
    let busy = fields[0] + fields[1] + fields[2] + fields[5] + fields[6] + fields[7]
    return busy / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// Of this program and of the relays that it has stopped.
  private static func ownSeconds() -> Double {
    // RUSAGE_SELF and RUSAGE_CHILDREN, which Swift imports as a type that getrusage does not take.
    [Int32(0), -1].reduce(0) { total, who in
      var usage = rusage()
      getrusage(who, &usage)
      let whole = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
      let parts = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
      return total + Double(whole) + Double(parts) / 1e6
    }
  }
}
