import Foundation
import Glibc
import System
import Testing

@testable import Commands
@testable import Server

/// Credentials from files and from the environment: the one that was meant, or a refusal.
@Suite struct CredentialTextTests {
  private static let good = "abcdefghijklmnop"

  private func refusal(_ bytes: [UInt8]) -> String {
    do throws(CredentialText.Refusal) {
      return "taken: " + (try CredentialText.parse(bytes, of: "SOURCE"))
    } catch { return error.text }
  }

  @Test func `visible ASCII is taken, with one line end behind it`() throws {
    let all = String(decoding: [UInt8](0x21...0x7E), as: UTF8.self)
    let longest = String(repeating: "x", count: 512)
    for text in [Self.good, all, longest] {
      for end in ["", "\n", "\r\n"] {
        #expect(try CredentialText.parse(Array((text + end).utf8), of: "SOURCE") == text)
      }
    }
  }

  @Test func `every other byte is refused, wherever it stands`() {
    for byte in (0...255 as ClosedRange<UInt8>) where !(0x21...0x7E).contains(byte) {
      for place in [0, 8, 16] {
        var bytes = Array(Self.good.utf8)
        bytes.insert(byte, at: place)
        // Not the one line end that is allowed.
        if byte == 0x0A, place == 16 { bytes.append(0x0A) }
        let text = refusal(bytes)
        #expect(text.hasPrefix("SOURCE has a"), "\(byte) at \(place): \(text)")
        #expect(text.contains("at byte \(place + 1)") && text.contains("16 to 512"))
        #expect(!text.contains(Self.good))
      }
    }
  }

  @Test(
    arguments: [
      ("", "0 characters"), ("\n", "0 characters"), ("abcdefghijklmno", "15 characters"),
      ("abcdefghijklmno\n", "15 characters"), ("\u{FEFF}abcdefghijklmnop", "byte order mark"),
      ("abcdefghijklmnop\r", "a line end at byte 17"), ("abcdefgh ijklmnop", "a space at byte 9"),
      ("abcdefghijklmnop\n\n", "a line end at byte 17"),
      ("abcdefghijklmnop\nsecond-line-of-it", "a line end at byte 17"),
      (String(repeating: "\u{FFFD}", count: 32), "no ASCII"),
      (String(repeating: "x", count: 513), "longer than"),
    ])
  func `the refusal says what is wrong`(text: String, part: String) {
    #expect(refusal(Array(text.utf8)).contains(part))
  }

  @Test func `files and variables go by the same rule, for the relay and for commands`() throws {
    let folder = NSTemporaryDirectory() + "credential-text-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/admin-token"
    let random = Random()
    func load() throws -> String {
      let options = try ServeOptions(arguments: []) { _ in nil }
      return try AdminToken.load(options, data: folder, random: random).secret
    }
    func find(_ environment: [String: String] = [:]) throws -> String {
      let place = OperatorPlace(data: folder, relay: nil) { environment[$0] }
      return try OperatorCredential.find(file: nil, place: place) { environment[$0] }.secret
    }
    for (bytes, isGood) in [
      (Array("\(Self.good)\r\n".utf8), true), ([UInt8](repeating: 0xFF, count: 32), false),
      ([0xEF, 0xBB, 0xBF] + Array(Self.good.utf8), false), ([], false),
      (Array("\n\(Self.good)\n".utf8), false), ([UInt8](repeating: 0x78, count: 513), false),
      ([UInt8](repeating: 0x78, count: 600), false), (Array("\(Self.good)\u{0}".utf8), false),
    ] {
      try Data(bytes).write(to: URL(filePath: path))
      if isGood {
        #expect(try load() == Self.good && find() == Self.good)
      } else {
        #expect(throws: AdminToken.Unreadable.self) { try load() }
        #expect(throws: OperatorCredential.Missing.self) { try find() }
      }
      // A bad file is never replaced by a new token.
      #expect(try Data(contentsOf: URL(filePath: path)) == Data(bytes))
    }
    try FileManager.default.removeItem(atPath: path)
    #expect(symlink("/etc/hostname", path) == 0)
    #expect(throws: AdminToken.Unreadable.self) { try load() }
    for name in ["A2A_RELAY_TOKEN", "ADMIN_TOKEN"] {
      #expect(try find([name: Self.good + "\n"]) == Self.good)
      #expect(throws: OperatorCredential.Missing.self) { try find([name: " " + Self.good]) }
    }
    for (text, secret) in [(Self.good + "\n", Self.good), (Self.good + " ", nil), ("short", nil)] {
      let options = try? ServeOptions(arguments: []) { $0 == "ADMIN_TOKEN" ? text : nil }
      #expect(options?.adminToken == secret)
    }
  }
}
