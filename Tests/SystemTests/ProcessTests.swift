import Glibc
import Testing

@testable import System

@Suite struct ProcessTests {
  @Test func `no signal ends the process by itself, and it says which one means the end`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      // No terminal, as a service has none.
      setsid()
      let signals = try Signals()
      let poller = try Poller(eventsMax: 1)
      try poller.add(Poller.Token(descriptor: signals.raw, generation: 0), .readable)
      guard signals.take() == nil else { exit(1) }
      let others: [Int32] = [
        SIGHUP, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, 34,
      ]
      for (numbers, ends) in [([SIGTERM, SIGINT, SIGXCPU], true), (others, false)] {
        for number in numbers {
          // To this thread: those of the test's runner have not blocked it.
          pthread_kill(pthread_self(), number)
          guard try poller.wait(milliseconds: 20_000) == 1 else { exit(2) }
          guard signals.take() == Signals.Arrival(number: number, ends: ends) else { exit(3) }
        }
      }
      exit(0)
    }
  }

  @Test(arguments: [false, true])
  func `a terminal that is closed ends the relay, unless nohup has started it`(
    isNohup: Bool
  ) async {
    await #expect(processExitsWith: .exitCode(0)) { [isNohup] in
      setsid()
      guard let (_, name) = pseudoTerminal() else { exit(1) }
      // The first terminal that the leader of a session opens is its own.
      guard open(name, O_RDWR) >= 0 else { exit(2) }
      if isNohup { signal(SIGHUP, SIG_IGN) }
      let signals = try Signals()
      pthread_kill(pthread_self(), SIGHUP)
      let arrived = signals.take()
      exit(arrived == Signals.Arrival(number: SIGHUP, ends: !isNohup) ? 0 : 3)
    }
  }

  @Test func `a file beyond the limit of its size is an error and no signal`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      Signals.ignoreWriteSignals()
      var template = Array("/tmp/relay-fsize-XXXXXX".utf8CString)
      let file = mkstemp(&template)
      unlink(template)
      var limit = rlimit(rlim_cur: 4096, rlim_max: 4096)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      let result = pwrite(file, "x", 1, 4096)
      exit(result == -1 && errno == EFBIG ? 0 : 1)
    }
  }

  @Test func `a write to a closed pipe is an error and no signal`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      _ = try Signals()
      var ends: [Int32] = [0, 0]
      pipe(&ends)
      close(ends[0])
      let result = write(ends[1], "x", 1)
      exit(result == -1 && errno == EPIPE ? 0 : 1)
    }
  }

  @Test func `the limit of descriptors is raised to the hard one`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      try DescriptorLimit.lower(to: 100)
      let raised = try DescriptorLimit.raise()
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      exit(raised == Int(limit.rlim_max) && limit.rlim_cur == limit.rlim_max ? 0 : 1)
    }
  }
}
