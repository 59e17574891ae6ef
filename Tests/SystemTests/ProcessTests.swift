import Glibc
import System
import Testing

@Suite struct ProcessTests {
  @Test func `SIGTERM and SIGINT become readable instead of ending the process`() async {
    await #expect(processExitsWith: .exitCode(0)) {
      let signals = try Signals()
      let poller = try Poller(eventsMax: 1)
      try poller.add(Poller.Token(descriptor: signals.raw, generation: 0), .readable)
      #expect(signals.take() == nil)
      for number in [SIGTERM, SIGINT] {
        // To this thread: those of the test's runner have not blocked it.
        pthread_kill(pthread_self(), number)
        #expect(try poller.wait(milliseconds: 20_000) == 1)
        guard signals.take() == number else { exit(1) }
      }
      exit(0)
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
