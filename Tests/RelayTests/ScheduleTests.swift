import Foundation
import TestKit
import Testing

@testable import Relay

/// Random schedules against a model of the file. `Tests/schedules` runs a million of them, with the
/// optimiser; without it they are few.
///
/// `SCHEDULES=n` runs another number of them, `TEST_SEED=n` begins with another seed. With
/// `SCHEDULES=1` the steps of that seed are printed.
@Suite(.serialized) struct ScheduleTests {
  static let schedules =
    ProcessInfo.processInfo.environment["SCHEDULES"].flatMap { Int($0) } ?? 4_000
  static let workers = 2

  @Test func `no schedule of events breaks a promise`() async throws {
    if Self.schedules == 1 {
      return #expect(Schedule.run(seed: TestSeed.value, isTold: true) == nil)
    }
    let start = ContinuousClock.now
    let failures = await withTaskGroup(of: [String].self) { group in
      for worker in 0..<Self.workers { group.addTask { Self.work(worker) } }
      return await group.reduce(into: []) { $0 += $1 }
    }
    print("schedules: \(Self.schedules) in \(ContinuousClock.now - start)")
    #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
  }

  private static func work(_ worker: Int) -> [String] {
    var failures: [String] = []
    for index in stride(from: worker, to: schedules, by: workers) where failures.count < 5 {
      let seed = TestSeed.value &+ UInt64(index)
      if let what = Schedule.run(seed: seed) {
        failures.append("TEST_SEED=\(seed) SCHEDULES=1: \(what)")
      }
    }
    return failures
  }

  #if PLANTS
    /// The harness finds nothing only because there is nothing: it finds what is planted.
    @Test(arguments: Plant.allCases) func `a planted bug is found`(plant: Plant) {
      let bound: UInt64 = 5_000
      let found = (1...bound).first { Schedule.run(seed: $0, plant: plant) != nil }
      #expect(found != nil, "\(plant) is not found in \(bound) schedules")
      if let found {
        #expect(Schedule.run(seed: found) == nil, "seed \(found) fails without it too")
        print("\(plant): seed \(found), \(Schedule.run(seed: found, plant: plant) ?? "")")
      }
    }
  #endif
}
