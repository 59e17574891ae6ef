import Engine
import Relay
import Testing
import Wire

@testable import Server

/// Numbers and flags, as queries and bodies have them.
@Suite struct QueryValueTests {
  private func refusal(_ body: () throws(BatchFault) -> Void) -> BatchFault? {
    do throws(BatchFault) {
      try body()
      return nil
    } catch {
      return error
    }
  }

  @Test func `a number is in its range, or is refused with it`() throws {
    #expect(try QueryValue.number("max", nil, 1...16) == nil)
    #expect(try QueryValue.number("max", "1", 1...16) == 1)
    #expect(try QueryValue.number("max", "16", 1...16) == 16)
    for text in ["0", "17", "-1", "1.0", "", "x", "99999999999999999999"] {
      let fault = refusal { () throws(BatchFault) in
        _ = try QueryValue.number("max", text, 1...16)
      }
      #expect(fault?.error == .badParameter)
      #expect(fault?.detail == "max must be 1 to 16; got \(text)")
    }
  }

  @Test func `seconds are a whole number, or not there`() throws {
    let json: JSON = ["a": .number("5"), "b": .null, "c": .string("5"), "d": .number("0.5")]
    #expect(try QueryValue.seconds("a", json, 0...9) == .seconds(5))
    #expect(try QueryValue.seconds("b", json, 0...9) == nil)
    #expect(try QueryValue.seconds("none", json, 0...9) == nil)
    for (name, given) in [("c", "\"5\""), ("d", "0.5")] {
      let fault = refusal { () throws(BatchFault) in
        _ = try QueryValue.seconds(name, json, 0...9)
      }
      #expect(fault?.detail == "\(name) must be 0 to 9; got \(given)")
    }
  }

  @Test func `a flag says yes or no, or nothing that is allowed`() {
    #expect(QueryValue.flag(nil) == false && QueryValue.flag("0") == false)
    #expect(QueryValue.flag("1") == true && QueryValue.flag("true") == true)
    for text in ["", "yes", "TRUE", "2"] { #expect(QueryValue.flag(text) == nil) }
  }

  @Test func `an unknown member is refused by its name, with those that are known`() throws {
    try QueryValue.check(["name": .null], hasOnly: ["name", "life"])
    try QueryValue.check(.object([]), hasOnly: [])
    let fault = refusal { () throws(BatchFault) in
      try QueryValue.check(["nmae": .null], hasOnly: ["name", "life"])
    }
    #expect(fault?.error == .badRequest)
    #expect(fault?.detail == "\"nmae\" is not known; allowed are name, life")
  }
}
