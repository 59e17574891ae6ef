import Foundation

/// All bytes of a data directory, each as one character, to look for what must not be there.
enum RelayFiles {
  static func contents(_ path: String) throws -> String {
    var text = ""
    let walk = FileManager.default.enumerator(atPath: path)
    while let name = walk?.nextObject() as? String {
      // Space without contents.
      if name == "reserve" { continue }
      guard let data = FileManager.default.contents(atPath: path + "/" + name) else { continue }
      text += String(data.map { Character(UnicodeScalar($0)) })
    }
    return text
  }
}
