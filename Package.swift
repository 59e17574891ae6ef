// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
  // Debug builds carry the planted faults that the negative controls switch on; release builds
  // contain none of them.
  .define("PLANTS", .when(configuration: .debug)),
]
// For the targets that touch no C: an unsafe construct must be marked `unsafe`, or it does not
// build.
let pure = settings + [.strictMemorySafety()]

let package = Package(
  name: "a2a-relay",
  products: [
    .executable(name: "a2a-relay", targets: ["a2a-relay"]),
    .executable(name: "a2a-bench", targets: ["a2a-bench"]),
  ],
  targets: [
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "CSQLite"),
    .target(name: "Relay", swiftSettings: pure),
    .target(name: "Wire", swiftSettings: pure),
    .target(name: "System", dependencies: ["CLinux", "Relay"], swiftSettings: settings),
    .target(
      name: "Store", dependencies: ["CSQLite", "CLinux", "Relay", "System"],
      swiftSettings: settings),
    .target(
      name: "Archive", dependencies: ["Relay", "Wire", "System", "Store"], swiftSettings: pure),
    .target(
      name: "Engine", dependencies: ["Relay", "Wire", "System", "Store", "Archive"],
      swiftSettings: settings),
    // Everything that is shown: it puts the engine's answers into JSON and HTTP.
    .target(
      name: "API", dependencies: ["Relay", "Wire", "Store", "Archive", "Engine"],
      swiftSettings: pure),
    // Cannot see the engine: it calls an `Application`.
    .target(
      name: "HTTPServer", dependencies: ["Relay", "Wire", "System"], swiftSettings: settings),
    .target(
      name: "HTTPClient", dependencies: ["Relay", "Wire", "System"], swiftSettings: settings),
    .target(
      name: "Server",
      dependencies: [
        "CLinux", "Relay", "Wire", "System", "Store", "Archive", "Engine", "API", "HTTPServer",
        "HTTPClient",
      ],
      swiftSettings: settings),
    .target(
      name: "Commands",
      dependencies: [
        "Relay", "Wire", "System", "Store", "Archive", "Engine", "HTTPClient", "Server",
      ],
      swiftSettings: pure),
    .executableTarget(
      name: "a2a-relay",
      dependencies: ["System", "Commands"], swiftSettings: settings),
    .executableTarget(
      name: "a2a-bench", dependencies: ["CLinux", "Relay", "Wire", "System", "Store"],
      swiftSettings: settings),
    .testTarget(
      name: "RelayTests", dependencies: ["Relay", "TestKit"], swiftSettings: settings),
    // For tests only: what several of them use.
    .target(name: "TestKit", path: "Tests/TestKit", swiftSettings: settings),
    .testTarget(
      name: "WireTests", dependencies: ["Wire", "Relay", "TestKit"], swiftSettings: settings),
    .testTarget(name: "SystemTests", dependencies: ["System", "Relay"], swiftSettings: settings),
    // For tests only: a SQLite VFS whose writes and syncs fail when told to.
    .target(name: "CFaultVFS", dependencies: ["CSQLite"], path: "Tests/CFaultVFS"),
    .testTarget(
      name: "StoreTests", dependencies: ["Store", "System", "Relay", "CSQLite", "CFaultVFS"],
      swiftSettings: settings),
    .testTarget(
      name: "ArchiveTests",
      dependencies: ["Archive", "Store", "System", "Relay", "Wire", "CSQLite", "CFaultVFS"],
      swiftSettings: settings),
    .testTarget(
      name: "EngineTests",
      dependencies: [
        "Engine", "API", "Archive", "Relay", "Wire", "Store", "System", "CSQLite", "CFaultVFS",
        "TestKit",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "APITests", dependencies: ["API", "Engine", "Relay", "Wire"], swiftSettings: settings),
    // For tests only: a blocking client, which reads with the parser of `Wire`.
    .target(
      name: "HTTPTestKit", dependencies: ["Wire", "System"], path: "Tests/HTTPTestKit",
      swiftSettings: settings),
    .testTarget(
      name: "HTTPServerTests",
      dependencies: ["HTTPServer", "HTTPTestKit", "Relay", "Wire", "System"],
      swiftSettings: settings),
    .testTarget(
      name: "ServerTests",
      dependencies: [
        "Server", "Commands", "HTTPServer", "HTTPClient", "HTTPTestKit", "Engine", "API",
        "Archive", "Relay", "Wire", "Store", "System", "CLinux", "TestKit",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "CommandTests", dependencies: ["Commands", "Server", "Relay", "System", "Wire"],
      swiftSettings: settings),
    .testTarget(name: "TidyTests", dependencies: ["TestKit"], swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)

// The queue and its tests alone: `Tests/schedules` builds them with the optimiser, which a million
// random schedules need, and which nothing else is to be stepped through with.
if Context.environment["QUEUE_ONLY"] != nil {
  package.products = []
  package.targets.removeAll { !["Relay", "RelayTests", "TestKit"].contains($0.name) }
}
